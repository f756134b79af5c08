"""Cascades of real members: the same answers in any batches, by language, timed and served."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from checkpoints import NLI, bert, renamed, small, turned

from compress.cascade.fit import Fitted
from compress.cascade.make import Wanted, _hold_used, make
from compress.cascade.members import Source, copy
from compress.errors import CascadeError, GateError
from compress.gate import lost
from evalsuite import scoring, tokenization
from evalsuite.bench import flops, worker
from evalsuite.cascade.confidence import confidence, log_probabilities
from evalsuite.cascade.packed_rows import MemberTokenizers, packed, part
from evalsuite.cascade.rule import NEVER, Member, read_rule
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.answers import head_for
from evalsuite.inference.open_model import modules, open_model
from evalsuite.inference.predictor import Staged, answered
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes.cascade import CascadePredictor
from evalsuite.task import DataSource, PairExample
from recipes.api.model import Model
from transfer.supervised.dev_scores import DevSet, english

EMBEDDED = DataSource("embedded")
TEXTS = [
    ("A man sleeps.", "Nobody is awake."),
    ("The dog eats and eats and eats, and then it sleeps in the garden.", "It is fed."),
    ("Der Hund schläft.", "Er ist wach."),
    ("She reads.", "She writes a long letter to her brother, who lives in another town."),
]
ROWS = [
    row
    for code in ("en", "de", "sw")
    for row in TASKS.get("xnli").load(EMBEDDED, "test", code)[:20]
    if isinstance(row, PairExample)
]


@pytest.fixture(scope="module")
def dev() -> DevSet:
    return english(TASKS.get("xnli"), EMBEDDED, 120)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A fast one, a better one, one with another vocabulary, one with labels in another order."""
    folder = tmp_path_factory.mktemp("members")
    good = small(folder / "good", layers=2)
    return {
        "fast": small(folder / "fast", layers=1),
        "good": good,
        "english": bert(folder / "english"),
        "turned": turned(good, folder / "turned"),
    }


def made(models: dict[str, Path], dev: DevSet, out: Path, *names: str, **wanted: Any) -> Any:
    return make([Source(name, models[name]) for name in names], dev, out, Wanted(**wanted))


def test_ids_of_several_tokenizers_are_one_row(models: dict[str, Path]) -> None:
    one, other = (tokenization.load(models[name]) for name in ("fast", "english"))
    whole = MemberTokenizers([one, other], [10, 8])
    whole.enable_truncation(1000, strategy="longest_first")
    (row,) = whole.encode_batch([TEXTS[1]])
    whole.no_truncation()
    ids = np.array(row.ids)
    assert (len(part(ids, 0)), len(part(ids, 1))) == (10, 8)
    assert whole.encode_batch(["a"])[0].ids == packed([one.encode("a").ids, other.encode("a").ids])


@pytest.mark.parametrize(
    "names",
    [("fast", "good"), ("fast", "turned"), ("english", "good"), ("english", "fast", "good")],
)
def test_rows_get_the_answers_of_the_member_that_is_sure(
    models: dict[str, Path], dev: DevSet, tmp_path: Path, names: tuple[str, ...]
) -> None:
    made(models, dev, tmp_path / "both", *names, budget=60.0)
    rule = read_rule(tmp_path / "both")
    assert rule.one_tokenizer is ("english" not in names)
    opened = open_model(tmp_path / "both")
    assert isinstance(opened, CascadePredictor) and isinstance(opened, Staged)
    assert opened.labels == NLI and opened.precision == "fp32"
    session = Session(opened)
    encoded = session.encode("pair", ROWS)
    found = np.stack(session.run(encoded, "logits"))
    counts = answered(opened)
    assert list(counts) == list(names) and sum(counts.values()) == len(ROWS)
    assert min(counts.values()) > 0

    wanted, place = np.zeros_like(found), np.full(len(ROWS), -1)
    for number, (name, member) in enumerate(zip(names, rule.members, strict=True)):
        alone = Session(open_model(models[name]))
        order = [alone.predictor.labels.index(label) for label in NLI]
        logits = np.stack(alone.run(alone.encode("pair", ROWS), "logits"))[:, order]
        said = log_probabilities(logits, member.temperature)
        takes = (place < 0) & (confidence(said) >= member.threshold)
        wanted[takes], place[takes] = said[takes], number
    assert np.abs(found - wanted).max() < 1e-4
    assert [int((place == number).sum()) for number in range(len(names))] == [*counts.values()]

    one_by_one = Session(opened, max_tokens=1)
    assert np.abs(np.stack(one_by_one.run(encoded, "logits")) - found).max() < 1e-4
    assert answered(opened) == counts
    for row in (0, 5):
        ids = np.array([encoded[row].ids])
        single = opened(ids, np.ones_like(ids), ("logits",))["logits"][0]
        assert np.abs(single - found[row]).max() < 1e-4


def test_dev_rows_lose_what_was_fitted(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    best = Session(open_model(models["good"])).score(dev.task, "en", dev.examples)
    for allowed in (0.0, 4.0):
        try:
            facts = made(models, dev, tmp_path / str(allowed), "fast", "good", max_lost=allowed)
        except GateError as error:
            assert "fast would answer no dev row" in str(error)
            continue
        session = Session(open_model(tmp_path / str(allowed)))
        score = session.score(dev.task, "en", dev.examples)
        assert score >= best - allowed - 1e-9
        assert score == pytest.approx(facts["dev score"], abs=0.01)
        assert facts["score lost on dev rows"] == pytest.approx(best - score, abs=0.01)


def test_a_metric_that_is_not_made_of_sums_goes_with_a_budget(
    models: dict[str, Path], dev: DevSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(models, dev, tmp_path / "sums", "fast", "good", budget=40)
    plain = replace(scoring.metric_of(dev.task), parts=None, of_sums=None)
    monkeypatch.setattr(scoring, "metric_of", lambda task: plain)
    with pytest.raises(CascadeError, match=r"not made of sums over rows.*; set budget in place of"):
        made(models, dev, tmp_path / "lost", "fast", "good", max_lost=4)
    assert made(models, dev, tmp_path / "budget", "fast", "good", budget=40) == whole


@pytest.mark.parametrize(
    ("answered", "wanted", "said"),
    [
        ([9, 0, 0], Wanted(100), "fast answers every dev row\nlower max_lost, or leave fast2 out"),
        ([9, 0, 0], Wanted(budget=1), "every dev row\ngive a larger budget, or leave fast2 out"),
        ([4, 0, 5], Wanted(0.5), "fast2 would answer no dev row .* allows\nallow more to be lost"),
        ([0, 0, 9], Wanted(budget=99), "fast would answer no dev row .*: 99 asks for\nlower the"),
    ],
)
def test_a_member_for_nothing_is_refused(answered: list[int], wanted: Wanted, said: str) -> None:
    sources = [Source(name, Path(name)) for name in ("fast", "fast2", "good")]
    with pytest.raises(GateError, match=said):
        _hold_used(sources, Fitted([0.5, 0.5], answered), wanted)
    _hold_used(sources, Fitted([0.5, 0.5], [3, 3, 3]), wanted)


def labels_of(directory: Path, language: str | None) -> list[str]:
    return [row["label"] for row in Model(directory).predict(TEXTS, language=language)]


def first_never_answers(directory: Path, *languages: str) -> None:
    """Give the first member of a cascade a threshold that nothing in these languages reaches."""
    file, bundle = directory / "cascade.json", directory / "bundle.json"
    rule = json.loads(file.read_text())
    rule["members"][0]["by_language"] = dict.fromkeys(languages, NEVER)
    file.write_text(json.dumps(rule))
    card = json.loads(bundle.read_text())
    card["bytes"]["cascade.json"] = file.stat().st_size
    bundle.write_text(json.dumps(card))


def test_evaluation_counts_who_answered_and_knows_the_language(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    text = {"sw": [PairExample("", *texts, None) for texts in TEXTS * 3]}
    made(models, dev, tmp_path / "both", "english", "good", budget=50.0, text=text)
    general, of_sw = (read_rule(tmp_path / "both").members[0].threshold_in(c) for c in ("de", "sw"))
    assert of_sw >= general
    first_never_answers(tmp_path / "both", "sw")
    opened = open_model(tmp_path / "both")
    result = evaluate(
        opened,
        dev.task,
        EMBEDDED,
        label="both",
        out=tmp_path / "said",
        options=EvaluationOptions(languages=["en", "sw"], max_examples=20),
    )
    assert isinstance(opened, Staged) and opened.language is None
    assert result.answered["sw"] == {"english": 0, "good": 20}
    assert sum(result.answered["en"].values()) == 20 and result.answered["en"]["english"] > 0
    assert labels_of(tmp_path / "both", "sw") == labels_of(models["good"], None)
    assert result.model.runtime == "cascade" and "calibration_error" in result.metrics
    parts = [open_model(models[name]).describe("") for name in ("english", "good")]
    assert result.model.bytes == sum(info.bytes for info in parts)
    assert result.model.parameters == sum(info.parameters for info in parts)
    assert lost(models["good"], tmp_path / "both", dev.task, EMBEDDED, 10).by_language()["sw"] == 0


def test_each_language_is_timed_with_its_threshold(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    made(models, dev, tmp_path / "both", "english", "good", budget=50.0)
    first_never_answers(tmp_path / "both", "sw")
    opened = open_model(tmp_path / "both")
    assert isinstance(opened, Staged)
    split = tokenization.load(tmp_path / "both").encode_batch(TEXTS)
    rows = tuple(tuple(row.ids) for row in split)
    timer = worker.Timer(opened, tokenization.pad_id(tmp_path / "both"))

    def gone_on(*codes: str) -> int:
        """Rows that the second model read."""
        spec = SimpleNamespace(sequences=dict.fromkeys(codes, rows))
        assert len(list(worker._passes(timer, worker._groups(timer, spec), 2))) == 2  # type: ignore[arg-type]
        return opened.rows_read()[1].total()

    english = gone_on("en")
    assert english < 2 * len(rows)
    assert gone_on("en", "sw") == english + 2 * len(rows)
    for code, ids in (("en", rows[0]), ("sw", rows[0])):
        worker._one(timer, code, ids)
        assert opened.language == code


def test_a_region_has_the_threshold_of_its_language() -> None:
    member = Member(
        name="fast", folder="member-0", temperature=1, threshold=0.5, max_length=8,
        by_language={"pt": 0.9, "zh-TW": 0.8, "sr_Latn": 0.7},
    )  # fmt: skip
    found = {code: member.threshold_in(code) for code in ("pt-BR", "PT", "zh-tw", "zh", "de", None)}
    assert found == {"pt-BR": 0.9, "PT": 0.9, "zh-tw": 0.8, "zh": 0.5, "de": 0.5, None: 0.5}
    other = {code: member.threshold_in(code) for code in ("pt_BR", "zh_TW", "sr-Latn", "sr_latn")}
    assert other == {"pt_BR": 0.9, "zh_TW": 0.8, "sr-Latn": 0.7, "sr_latn": 0.7}
    assert member.threshold_in("sr-Latn-RS") == 0.7 and member.threshold_in("sr-Cyrl") == 0.5
    longer = member.model_copy(update={"by_language": {"eng_Latn": 0.9, "zho-Hans": 0.8}})
    codes = ("en", "eng", "eng_Latn-US", "zho-Hans-CN", "zh-Hans", "zh")
    assert [longer.threshold_in(code) for code in codes] == [0.9, 0.9, 0.9, 0.8, 0.8, 0.5]


def test_a_served_cascade_knows_the_language_and_counts_who_answered(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    pytest.importorskip("fastapi")
    from served import client

    from evalsuite.serving.served_model import ServedModel

    made(models, dev, tmp_path / "both", "fast", "good", budget=50.0)
    first_never_answers(tmp_path / "both", "sw", "cn")  # as in a recipe: `test: {cn: ...}`
    served = [ServedModel("both", tmp_path / "both"), ServedModel("good", models["good"])]

    async def ask() -> list[Any]:
        async with client(served) as http:
            inputs = [list(texts) for texts in TEXTS]
            bodies = [{"model": "both"}, {"model": "both", "language": "sw"}, {"model": "good"}]
            bodies += [{"model": "good", "language": "sw"}, {"model": "both", "language": "xx"}]
            bodies += [{"model": "both", "language": "cn"}]
            asked = [http.post("/v1/predict", json={"inputs": inputs, **body}) for body in bodies]
            found = await asyncio.gather(*asked)  # the two cascades' rows may be one batch
            return [*found, await http.get("/metrics"), await http.get("/v1/models")]

    general, swahili, good, refused, unknown, named, metrics, listed = asyncio.run(ask())
    labels = [[row["label"] for row in said.json()["results"]] for said in (general, swahili, good)]
    assert labels[0] == labels_of(tmp_path / "both", None)
    assert labels[1] == labels[2]
    assert refused.status_code == 422
    assert "only a cascade has thresholds of languages" in refused.json()["error"]["message"]
    assert named.status_code == 200 and labels_of(tmp_path / "both", "cn") == labels[2]
    assert unknown.status_code == 422
    assert "language: 'xx' is no language code" in unknown.json()["error"]["message"]
    with pytest.raises(ModelError, match="'xx' is no language code"):
        labels_of(tmp_path / "both", "xx")
    counts = [
        float(line.split()[-1])
        for line in metrics.text.splitlines()
        if line.startswith("lingopress_member_rows_total{")
    ]
    fast, slow = counts
    assert fast > 0 and slow >= 2 * len(TEXTS) and fast + slow == 3 * len(TEXTS)
    assert [card.get("members") for card in listed.json()["data"]] == [["fast", "good"], None]


def test_rows_of_a_batch_that_failed_do_not_count(
    models: dict[str, Path], dev: DevSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fastapi")
    from evalsuite.serving.served_model import ServedModel

    made(models, dev, tmp_path / "both", "fast", "good", budget=50.0)
    served = ServedModel("both", tmp_path / "both")
    rows = [served.row(texts, language) for texts in TEXTS for language in ("de", None)]
    head = served._head

    class Fails:
        def answers(self, session: Session, some: Any) -> Any:
            yield from head.answers(session, some)
            raise RuntimeError("not finite")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(served, "_head", Fails())
        served.answer(rows)
    served.answer(rows)
    assert sum(served.answered_by().values()) == len(rows)


def test_a_cascade_says_what_it_is_and_what_it_lacks(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    both = tmp_path / "both"
    made(models, dev, both, "english", "good", budget=50.0)
    assert "torch" in modules(both)
    assert len(flops.of_members(both)) == 2 and len(flops.of_members(models["good"])) == 1
    head = head_for(both)
    session = Session(open_model(both))
    (answer,) = head.answers(session, [head.example(["A dog."])])
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-5)
    readme = (both / "README.md").read_text()
    assert "| 1 | english | bert 2x32 |" in readme and "lingopress.open" in readme
    assert "member-2/model.safetensors" in (both / "SHA256SUMS").read_text()
    with pytest.raises(ModelError, match="is a cascade, which gives logits and no hidden"):
        session.run(session.encode("pair", ROWS), "hidden_states.0")
    (both / "member-2").rename(both / "elsewhere")
    with pytest.raises(ModelError, match="the member member-2 is missing; copy it again"):
        open_model(both)


def test_models_that_are_no_cascade_are_refused(
    models: dict[str, Path], dev: DevSet, tmp_path: Path
) -> None:
    own = models | {"other": renamed(models["good"], tmp_path / "other", ("a", "b", "c"))}
    with pytest.raises(CascadeError, match="other predicts a, b, c; the cascade needs entailment"):
        made(own, dev, tmp_path / "out", "fast", "other")
    own["tags"] = small(tmp_path / "tags", "tagging")
    with pytest.raises(CascadeError, match="tags does not give one label per row"):
        made(own, dev, tmp_path / "out", "fast", "tags")


def test_hidden_files_are_no_part_of_a_member(tmp_path: Path) -> None:
    model = tmp_path / "model"
    for name in ("config.json", ".env", ".gitattributes", "onnx/model.onnx", "onnx/.cache"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text("{}")
    copy(model, tmp_path / "member-1")
    found = [path for path in (tmp_path / "member-1").rglob("*") if path.is_file()]
    names = sorted(str(path.relative_to(tmp_path / "member-1")) for path in found)
    assert names == ["config.json", "onnx/model.onnx"]
