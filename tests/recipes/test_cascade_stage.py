"""A cascade in a recipe: it goes through all that a bundle goes through, or is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkpoints import bert, small

from compress import gate
from compress.export import bundle
from evalsuite.errors import DataError
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult
from recipes.errors import StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.external_models import External
from recipes.planning.plan import make_plan
from recipes.run import run_recipe
from recipes.stages import benchmark, cascade, distill, evaluate, export
from recipes.stages._shared.contract import Artifact, HeadFacts

Cli = Callable[..., tuple[str, str]]
LABELS = ("sports", "travel", "weather")
RECIPE = """
name: topics
source: files
tasks:
  topics: {format: classification, dev: {en: dev.csv}, test: "test-{language}.csv"}
stages:
  - {name: both, stage: cascade, models: [./fast, ./good], task: topics, budget: 50,
     language_text: {de: de.txt}}
  - {name: scores, stage: evaluate, models: [./good, both], tasks: [topics]}
  - {name: speed, stage: benchmark, models: [both], task: topics, sentence_count: 8, passes: 2}
  - {name: report, stage: report, results: [scores, speed]}
"""


def _rows(seed: int, count: int) -> str:
    draw = random.Random(seed)
    words = ["sun", "rain", "goal", "train", "boat", "match", "cloud", "ticket", "player", "storm"]
    lines = [f"{' '.join(draw.choices(words, k=5))},{draw.choice(LABELS)}" for _ in range(count)]
    return "\n".join(["text,label", *lines]) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {n: i for i, n in enumerate(LABELS)}}
    small(tmp_path / "good", labels=LABELS)
    bert(tmp_path / "fast", layers=1)
    config = tmp_path / "fast" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | names))
    for name, seed, count in (("dev", 1, 60), ("test-en", 2, 30), ("test-de", 3, 30)):
        (tmp_path / f"{name}.csv").write_text(_rows(seed, count))
    (tmp_path / "de.txt").write_text("sun rain\ngoal match\ntrain boat\n" * 4)
    (tmp_path / "recipe.yaml").write_text(RECIPE.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    yield tmp_path
    (tmp_path / "none.yaml").write_text("name: none\nsource: embedded\nstages: []\n")
    load("none.yaml")  # forgets the declared tasks


def _made(name: str) -> Path:
    (found,) = Path(".lingopress/stages").glob(f"{name}-*")
    return found


@pytest.mark.slow
def test_it_goes_through_all_that_a_bundle_goes_through(
    folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli(0, "plan", "recipe.yaml")

    def cut_off(*given: Any) -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(bundle, "seal", cut_off)
        cli(1, "run", "recipe.yaml", "--quiet")
    assert not list(Path(".lingopress/stages").glob("cascade-*"))  # nothing of it is seen
    cli(0, "run", "recipe.yaml", "--quiet")
    both = _made("cascade")
    scored = [
        TaskResult.model_validate_json(file.read_text())
        for file in sorted(_made("evaluate").glob("*.json"))
        if file.name[0].isdigit()
    ]
    assert scored[0].answered == {}
    assert {code: sum(own.values()) for code, own in scored[1].answered.items()} == {
        "de": 30,
        "en": 30,
    }
    assert list(scored[1].answered["en"]) == ["fast", "good"]
    (file,) = _made("benchmark").glob("0*.json")
    speed = SpeedResult.model_validate_json(file.read_text())
    assert speed.model.runtime == "cascade" and speed.grid == () and speed.peak is None
    assert speed.operations > 0 and speed.tokenizer is not None
    report = (_made("report") / "report.md").read_text()
    assert "Answered by" in report and "fast, %" in report
    assert "both" in (_made("report") / "cards" / "both.md").read_text()

    Path("rows.csv").write_text("text\nsun rain\ngoal match\n")
    _, said = cli(0, "predict", "topics:both", "rows.csv", "-o", "out.csv")
    assert "2 rows answered, answered by fast" in said and "good" in said
    assert Path("out.csv").read_text().startswith("text,label")
    cli(0, "predict", "topics:both", "rows.csv", "-o", "de.csv", "--language", "de")
    said = cli(2, "predict", "./good", "rows.csv", "--language", "de")[1]
    assert "good answers alike in all languages; only a cascade" in said
    listed, _ = cli(0, "push", "topics:both", "org/both", "--dry-run")
    assert "member-1/model.safetensors" in listed and "cascade.json" in listed
    assert "lingopress.json" not in listed
    cli(0, "cache", "verify")
    weights = both / "member-1" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert "cascade" in cli(1, "cache", "verify")[0]


def test_the_plan_says_how_long_fitting_takes(folder: Path, cli: Cli) -> None:
    def planned(*changes: str) -> dict[str, Any]:
        options = [word for change in changes for word in ("--set", change)]
        stages = json.loads(cli(0, "plan", "recipe.yaml", "--json", *options)[0])["stages"]
        (found,) = [stage for stage in stages if stage["kind"] == "cascade"]
        return dict(found)

    found = planned("both.language_text={}")
    members = sum(
        (Path(name) / file).stat().st_size
        for name in ("fast", "good")
        for file in ("model.safetensors", "tokenizer.json")
    )
    assert found["disk_bytes"] == pytest.approx(members, rel=0.05)
    assert found["predicted_seconds"] > 0
    assert planned()["time_unknown"] == "the text of its languages is in files"


@pytest.mark.slow
def test_one_from_outside_is_evaluated_and_served(folder: Path, cli: Cli) -> None:
    from evalsuite.serving.served_model import ServedModel

    run_recipe("recipe.yaml", workspace=Path(".lingopress"))
    _made("cascade").rename("copy")
    found = External.find("./copy")
    assert (found.artifact.kind, found.artifact.runtime) == ("cascade", "cascade")
    assert found.artifact.head == HeadFacts("pair", LABELS, "label", 3) and found.has_weights()
    served = ServedModel("both", Path("copy"))
    (answer,) = served.answer([served.row(["sun rain"])])
    assert answer["label"] in LABELS and served.card["runtime"] == "cascade"
    text = RECIPE.lstrip().split("stages:")[0] + "stages:\n"
    text += "  - {name: scores, stage: evaluate, models: [./copy], tasks: [topics]}\n"
    Path("recipe.yaml").write_text(text)
    make_plan(load("recipe.yaml"), None, DigestMemo())
    Path("recipe.yaml").write_text(
        text + "  - {name: small, stage: trim, model: ./copy, text: [de.txt]}\n"
    )
    assert (
        "model: needs a checkpoint, is given a cascade; give one of its members"
        in (cli(2, "check", "recipe.yaml")[1])
    )


@pytest.mark.slow
def test_one_that_loses_too_much_zero_shot_is_refused(
    folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = RECIPE.lstrip().replace("budget: 50", "budget: 50, max_drop: 2, score_rows: 9")
    Path("recipe.yaml").write_text(text.split("  - {name: scores")[0])
    monkeypatch.setattr(gate.Loss, "points", lambda loss: 3.0)
    said = cli(2, "run", "recipe.yaml", "--quiet")[1]
    assert "cascade: 3.00 points of topics are lost, max_drop allows 2" in said
    monkeypatch.setattr(gate.Loss, "points", lambda loss: 1.0)
    cli(0, "run", "recipe.yaml", "--quiet")


def _config(**keys: Any) -> cascade.Config:
    return cascade.Config(
        **{"name": "c", "stage": "cascade", "models": ("a", "b"), "task": "xnli", **keys}
    )


def _models(*artifacts: Artifact) -> dict[str, list[Artifact]]:
    return {"models": [*artifacts]}


XNLI = Artifact("checkpoint", task="xnli")


@pytest.mark.parametrize(
    ("keys", "second", "message"),
    [
        ({"max_lost": 1, "budget": 20}, XNLI, "max_lost, budget: both say which rows go on"),
        ({"task": "udpos"}, XNLI, "task: udpos is of the format tagging; a cascade gives one"),
        (
            {"language_text": {"German": "de.txt", "pt-BR": "pt.txt", "xx": "de.txt"}},
            XNLI,
            "^language_text: 'German' is no language code .*; write de\n'xx' is no language code",
        ),
        ({}, Artifact("adapter", task="xnli"), "models: needs a checkpoint or bundle, is given an"),
        ({}, Artifact("cascade", task="xnli"), "is given a cascade; give one of its members"),
        ({}, Artifact("checkpoint"), "models: an encoder without a head cannot do xnli"),
        ({}, Artifact("bundle", task="pawsx"), "models: a head trained on pawsx cannot do xnli"),
        (
            {},
            Artifact("bundle", external=True, head=HeadFacts("tagging")),
            "models: a head of the format tagging cannot do xnli",
        ),
    ],
)
def test_what_is_no_cascade_is_refused(keys: Any, second: Artifact, message: str) -> None:
    with pytest.raises(StageInputError, match=message):
        cascade.check(_config(**keys), _models(XNLI, second))


def test_a_cascade_is_timed_on_rows_with_one_label() -> None:
    models = {"models": [Artifact("cascade", task="xnli", runtime="cascade")]}
    config = benchmark.Config(name="b", stage="benchmark", models=("c",), task="udpos")
    with pytest.raises(StageInputError, match="udpos is of the format tagging; a cascade reads"):
        benchmark.check(config, models)
    assert benchmark.check(config.model_copy(update={"task": "pawsx"}), models).kind == "speed"


def test_keys_of_text_and_of_a_gate_that_are_not_there_are_refused() -> None:
    given = {"name": "c", "stage": "cascade", "models": ["a", "b"], "task": "xnli"}
    asked = cascade.Config.model_validate(given | {"max_lines": 9, "score_rows": 9})
    assert cascade.unused_keys(asked) == [
        "max_lines: no text of languages is read; remove it, or set language_text",
        "score_rows: without max_drop nothing is scored; remove it, or set max_drop",
    ]
    more = {"max_lines": 9, "score_rows": 9, "max_drop": 1, "language_text": {"de": "de.txt"}}
    assert not cascade.unused_keys(cascade.Config.model_validate(given | more))


def test_a_cascade_has_two_or_three_models() -> None:
    for count in (1, 4):
        config = _config(models=tuple("abcd")[:count])
        with pytest.raises(StageInputError, match=f"two or three models, not {count}"):
            cascade.check(config, _models(*[XNLI] * count))


def test_dev_rows_that_are_not_there_are_of_another_task_or_source(folder: Path, cli: Cli) -> None:
    text = "name: none\nsource: embedded\nstages:\n"
    text += "  - {name: both, stage: cascade, models: [./a, ./b], task: mnli}\n"
    Path("recipe.yaml").write_text(text)
    for name in ("a", "b"):
        small(folder / name)
    said = cli(2, "run", "recipe.yaml", "--quiet")[1]
    assert "mnli has no English dev rows in the source embedded; name a task that has" in said
    assert "dev_rows" not in said


def test_variants_of_a_model_are_not_members_of_one_cascade() -> None:
    with pytest.raises(StageInputError, match=r"models: a name has several variants.*fast\[n=1\]"):
        cascade.check(_config(), _models(XNLI, XNLI, XNLI))


def test_a_cascade_is_a_member_of_no_other_stage() -> None:
    given = cascade.check(_config(), _models(XNLI, Artifact("bundle", task="xnli")))
    assert (given.kind, given.task) == ("cascade", "xnli")
    with pytest.raises(StageInputError, match="model: needs a checkpoint, is given a cascade"):
        export.check(export.Config(name="e", stage="export", model="c"), {"model": [given]})
    config = distill.Config(name="d", stage="distill", teacher="c", tasks=("xnli",))
    with pytest.raises(StageInputError, match="teacher: needs a checkpoint or bundle, is given a"):
        distill.check(config, {"teacher": [given]})


def test_a_cascade_has_no_vectors_to_score() -> None:
    given = cascade.check(_config(), _models(XNLI, Artifact("bundle", task="xnli")))
    keys = {"name": "s", "stage": "evaluate", "models": ["c"], "tasks": ["xnli"]}
    evaluate.check(evaluate.Config.model_validate(keys), {"models": [given]})
    both = evaluate.Config.model_validate(keys | {"tasks": ["xnli", "tatoeba"]})
    with pytest.raises(StageInputError, match="models: a cascade gives labels and no vectors of"):
        evaluate.check(both, {"models": [given]})


def test_lines_of_text_are_rows_without_blank_ones_and_ends_of_lines(tmp_path: Path) -> None:
    def read(raw: bytes, *, two: bool = False) -> list[tuple[str, str | None]]:
        (tmp_path / "de.txt").write_bytes(raw)
        rows = cascade._rows(tmp_path / "de.txt", 2, two=two)
        return [(row.first, row.second) for row in rows]

    found = read(b"\r\n\r\nEin Haus\r\n \t \nNur eins\n\nZuletzt\ta\n")
    assert found == [("Ein Haus", None), ("Nur eins", None)]
    assert read(b"a\tb\r\n\nc\td", two=True) == [("a", "b"), ("c", "d")]
    with pytest.raises(DataError, match=r"has no line of text|the file is empty"):
        read(b" \r\n" * 9000)
    with pytest.raises(DataError, match=r"de\.txt:3: 2 text.s.; the task reads one text, without"):
        read(b"a\n\nb\tsports\n")
    with pytest.raises(DataError, match=r"de\.txt:1: 1 text.s.; the task reads two texts with"):
        read(b"a\n", two=True)
