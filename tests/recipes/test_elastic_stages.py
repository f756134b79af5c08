"""Elastic students in a recipe: what `check` refuses, and a cut's way to a bundle and a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoints import NLI, small

from compress.distill.elastic_cuts import nested
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.machine.memory import Place
from recipes.errors import RecipeError, StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.external_models import inspect
from recipes.planning.memory import estimate
from recipes.planning.plan import make_plan
from recipes.search.feasible import find_feasible
from recipes.stages import cut, distill, export, trim
from recipes.stages._shared.contract import Artifact, CutSizes

Cli = Callable[..., tuple[str, str]]
STUDENT = (
    "stage: distill, teacher: ./teacher, tasks: [xnli], layers: 3, ffn: 48, max_steps: 3, "
    "batch_size: 8, max_length: 48, max_examples: 60, multilingual: 0, compute: fp32, probe: 0, "
    "elastic: {layers: [2, 1], ffn: [16]}"
)
RECIPE = f"""
name: sizes
source: embedded
stages:
  - {{name: student, {STUDENT}}}
  - {{name: two, stage: cut, model: student, layers: 2}}
  - {{name: trimmed, stage: trim, model: student, languages: [de], max_lines: 200, probe: 0}}
  - {{name: one, stage: export, model: trimmed, cut: {{layers: 1, ffn: 16}}, probe: 4,
     min_agreement: 99}}
  - {{name: scores, stage: evaluate, models: [student, two, one], tasks: [xnli],
     languages: [en, de, sw], max_examples: 12}}
  - {{name: report, stage: report, results: [scores]}}
"""
SEARCH = f"""
name: searched
source: embedded
search:
  trials: 3
  budget: {{MB: 50}}
  candidate: packed
  knobs: {{layers: [3, 2, 1], ffn: [48, 16]}}
stages:
  - {{name: student, {STUDENT}}}
  - {{name: packed, stage: export, model: student, runtime: torch, precision: bf16,
     cut: {{layers: "${{layers}}", ffn: "${{ffn}}"}}, probe: 0}}
  - {{name: scores, stage: evaluate, models: [packed], tasks: [xnli], languages: [en, de],
     max_examples: 12}}
"""


def student(artifact: Artifact | None = None, **keys: Any) -> Artifact:
    """What `check` says of a student."""
    config = distill.Config(name="s", stage="distill", teacher="t", tasks=("xnli",), **keys)
    return distill.check(config, {"teacher": (artifact or checkpoint("xlm-roberta"),)})


def checkpoint(family: str) -> Artifact:
    return Artifact("checkpoint", task="xnli", family=family)


def cut_of(model: Artifact, **keys: Any) -> Artifact:
    return cut.check(cut.Config(name="c", stage="cut", model="s", **keys), {"model": (model,)})


def test_a_size_that_was_not_trained_is_refused_ahead() -> None:
    model = student(layers=6, elastic={"layers": [4, 3]})
    assert cut_of(model, layers=4).kind == cut_of(model, ffn=9).kind == "checkpoint"
    message = "^layers: 5: the student was not trained at this size; trained: layers 6, 4, 3$"
    with pytest.raises(StageInputError, match=message):
        cut_of(model, layers=5)
    config = export.Config(name="b", stage="export", model="s", cut={"layers": 5})
    with pytest.raises(StageInputError, match=r"^cut: layers: 5: the student"):
        export.check(config, {"model": (model,)})
    narrow = student(ffn=64, layers=(0, 2, 5), elastic={"ffn": [32]})
    with pytest.raises(StageInputError, match=r"ffn: 48: .*; trained: layers 3; ffn 64, 32$"):
        cut_of(narrow, ffn=48)
    trimmed = trim.check(
        trim.Config(name="t", stage="trim", model="s", languages=("de",)), {"model": (narrow,)}
    )
    with pytest.raises(StageInputError, match="ffn: 48"):
        cut_of(trimmed, ffn=48)


def test_of_a_size_that_is_not_known_the_smaller_ones_are() -> None:
    model = student(elastic={"layers": [4, 3], "ffn": [64, 32]})  # own layers and units: any
    for fits in ({"layers": 4, "ffn": 64}, {"layers": 12}, {"ffn": 96}):
        assert cut_of(model, **fits).kind == "checkpoint"
    with pytest.raises(StageInputError, match=r"ffn: 48: .*; trained: .*ffn 64, 32$"):
        cut_of(model, layers=3, ffn=48)
    with pytest.raises(StageInputError, match=r"layers: 2: .*; trained: layers 4, 3$"):
        cut_of(model, layers=2)


def test_a_model_of_one_size_has_no_cuts() -> None:
    message = "was trained at one size, .*; distil it with elastic: {layers"
    for model in (student(layers=6), cut_of(student(layers=6, elastic={"layers": [3]}), layers=3)):
        with pytest.raises(StageInputError, match=message):
            cut_of(model, layers=3)
    assert cut_of(Artifact("checkpoint"), layers=3).cuts == CutSizes((), ())  # not known ahead


@pytest.mark.parametrize(
    ("elastic", "message"),
    [
        ({}, "elastic: give layers or ffn: smaller sizes"),
        ({"layers": [6]}, "elastic: give layers or ffn"),
        ({"layers": [8, 3]}, "elastic: layers: 8: the student has 6; give smaller numbers"),
        ({"ffn": [0]}, "elastic: ffn: 0: give numbers of units, from 1"),
    ],
)
def test_sizes_that_cannot_be_are_refused_ahead(elastic: Any, message: str) -> None:
    with pytest.raises(StageInputError, match=message):
        student(layers=6, elastic=elastic)


def test_families_without_layers_that_can_be_left_out_are_refused_ahead() -> None:
    with pytest.raises(StageInputError, match="elastic: unknown model family 'albert'"):
        student(checkpoint("albert"), layers=6, elastic={"layers": [3]})
    with pytest.raises(StageInputError, match="unknown model family 'albert'"):
        cut_of(checkpoint("albert"), layers=3)
    config = distill.Config(
        name="s", stage="distill", teacher="t", student="small", hidden=0, tasks=("xnli",),
        elastic={"layers": [3]},
    )  # fmt: skip
    static = Artifact("checkpoint", task="xnli", family="lingopress-static")
    inputs = {"teacher": (checkpoint("bert"),), "student": (static,)}
    with pytest.raises(StageInputError, match="elastic: a static student has no layers"):
        distill.check(config, inputs)


def test_a_model_from_outside_says_its_sizes(tmp_path: Path) -> None:
    folder = small(tmp_path / "model", layers=3)
    assert inspect(folder, "m").cuts == CutSizes((), ())
    config = json.loads((folder / "config.json").read_text())
    config["elastic_cuts"] = nested(3, [2], 64, [32]).as_json()
    (folder / "config.json").write_text(json.dumps(config))
    assert inspect(folder, "m").cuts == CutSizes((3, 2), (64, 32))
    config["elastic_cuts"] = "damaged"
    (folder / "config.json").write_text(json.dumps(config))
    assert inspect(folder, "m").cuts is None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traces: None) -> Path:
    """A folder with a teacher of three layers, and recipes."""
    small(tmp_path / "teacher", layers=3)
    (tmp_path / "recipe.yaml").write_text(RECIPE.lstrip())
    (tmp_path / "search.yaml").write_text(SEARCH.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    return tmp_path


def test_a_plan_knows_the_size_of_cuts_and_what_their_training_takes(folder: Path) -> None:
    found = held("recipe.yaml")
    plain = RECIPE.replace(", elastic: {layers: [2, 1], ffn: [16]}", "")
    (folder / "plain.yaml").write_text(plain[: plain.index("  - {name: two")].lstrip())
    alone = held("plain.yaml")["student"]
    assert alone["activations"] < found["student"]["activations"] < 2 * alone["activations"]
    assert found["student"]["weights"] == alone["weights"]
    assert found["one"]["weights"] < found["trimmed"]["weights"]
    (folder / "plain.yaml").write_text(plain.lstrip())
    with pytest.raises(RecipeError, match=r"stage 'two' .* the model was trained at one size"):
        make_plan(load("plain.yaml"), None, DigestMemo())


def held(recipe: str) -> dict[str, Any]:
    """Bytes that each stage will hold, by part."""
    plan = make_plan(load(recipe), None, DigestMemo())
    found = estimate(plan, Place("RAM", 10**10))
    return {label: one.need.parts for label, one in found.items()}


def test_a_search_over_sizes_trains_one_student(folder: Path) -> None:
    found = find_feasible(load("search.yaml"))
    assert len(found.plans) == 6 and found.refused == 0
    names = [[stage.label for stage in plan.stages] for _, plan in found.plans]
    assert all("student" in labels for labels in names)  # without a knob in its name
    (folder / "search.yaml").write_text(SEARCH.replace("layers: [3, 2, 1]", "layers: [3, 2, 4]"))
    with pytest.raises(RecipeError, match="cut: layers: 4: the student was not trained at"):
        find_feasible(load("search.yaml"))


def _made(kind: str) -> Path:
    (found,) = Path(".lingopress/stages").glob(f"{kind}-*")
    return found


@pytest.mark.slow
def test_a_cut_goes_through_all_that_a_model_goes_through(folder: Path, cli: Cli) -> None:
    cli(0, "run", "recipe.yaml", "--quiet")
    assert read_config(_made("trim"))["elastic_cuts"]["ffn"] == [48, 16]
    config = read_config(_made("cut"))
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (2, 48)
    bundle = _made("export")
    assert read_config(bundle)["num_hidden_layers"] == 1
    assert "elastic_cuts" not in read_config(bundle)
    made_from = json.loads((bundle / "bundle.json").read_text())["made_from"]
    assert made_from[-2] == "cut (layers 1, ffn 16)"
    Path("lines.tsv").write_text("He reads.\tShe sleeps.\n")
    for model in ("sizes:one", "sizes:two"):
        shown, _ = cli(0, "predict", model, "lines.tsv")
        assert json.loads(shown)["label"] in NLI


@pytest.mark.slow
def test_a_search_makes_its_student_once(folder: Path, cli: Cli) -> None:
    cli(0, "run", "search.yaml", "--quiet")
    stages = Path(".lingopress/stages")
    assert len(list(stages.glob("distill-*"))) == 1
    assert len(list(stages.glob("export-*"))) == 3
