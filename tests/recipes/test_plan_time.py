"""`plan` predicts the time and disk of stages from what they compute and the speed of a machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from plain_shapes import XLMR
from small_tokenizer import TOKENIZER

from evalsuite.machine.environment import threads
from evalsuite.machine.memory import Place
from evalsuite.machine.model_shape import ModelShape
from evalsuite.machine.probe import Probe
from evalsuite.machine.work import Batches, Predictions, Work
from evalsuite.plain_config import plain_config
from recipes.cli import outlook, plan_facts
from recipes.cli.outlook import on_this_machine
from recipes.cli.plan_json import as_values
from recipes.cli.plan_lines import plan_table, total_lines
from recipes.errors import NotKnownAheadError
from recipes.execution.cache import Cache
from recipes.execution.display import duration
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.planning.source_text import SourceText
from recipes.planning.time import Prediction, predict
from recipes.stages import distill, pretrain, train
from recipes.stages._shared.distilling_work import distilling_work
from recipes.stages._shared.planned_model import PlannedModel, training_memory
from recipes.stages._shared.planned_text import Rows
from recipes.stages._shared.planned_work import training_work

MINI = "package:recipes/models/e5-mini"
RECIPE = """
name: times
source: embedded
stages:
  - {name: teacher, stage: train, model: MODEL, tasks: [xnli], method: full, max_steps: 10,
     batch_size: 8, compute: fp32}
  - {name: longer, stage: train, model: MODEL, tasks: [xnli], method: full, max_steps: 40,
     batch_size: 8, compute: fp32}
  - {name: frozen, stage: train, model: MODEL, tasks: [xnli], method: full, max_steps: 10,
     batch_size: 8, compute: fp32, freeze_embeddings: true}
  - {name: adapter, stage: train, model: MODEL, tasks: [xnli], method: lora, precision: nf4}
  - {name: student, stage: distill, teacher: teacher, tasks: [xnli], layers: 2, max_steps: 10,
     batch_size: 8, compute: fp32, max_pairs: 20}
  - {name: int8, stage: export, model: student, precision: int8}
  - {name: scores, stage: evaluate, models: [teacher, student, int8], tasks: [xnli],
     languages: [en, sw], max_examples: 40}
  - {name: of8bit, stage: evaluate, models: [adapter], tasks: [xnli], languages: [sw]}
  - {name: page, stage: report, results: [scores]}
"""


class Machine(Probe):
    """One second per everything, so that what is counted can be read off."""

    def batch(self, batches: Batches) -> float:
        return float(batches.rows * batches.length * batches.shape.layers) / batches.times

    def update(self) -> float:
        return 1e-6

    def predictions(self, predictions: Predictions) -> float:
        return float(predictions.rows)

    def read(self) -> float:
        return 0.0

    def write(self) -> float:
        return 0.0

    def call(self) -> float:
        return 0.0

    def figures(self) -> list[dict[str, Any]]:
        return [{"figure": "one"}]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The recipe above on the encoder that comes with the toolkit; nothing runs."""
    path = tmp_path_factory.mktemp("times") / "r.yaml"
    path.write_text(RECIPE.replace("MODEL", MINI), encoding="utf-8")
    return make_plan(load(str(path), ()), None, DigestMemo(), keys=False)


@pytest.fixture(scope="module")
def text(plan: Plan) -> SourceText:
    """What the recipe reads; each part is looked at once."""
    return SourceText(plan.data)


@pytest.fixture(scope="module")
def found(plan: Plan, text: SourceText) -> dict[str, Prediction]:
    return predict(plan, text, Machine())


def test_four_times_the_steps_take_four_times_as_long(found: dict[str, Prediction]) -> None:
    one, four = found["teacher"].parts, found["longer"].parts
    assert four["compute"] == pytest.approx(4 * one["compute"])
    assert four["optimizer"] == pytest.approx(4 * one["optimizer"])
    assert one["compute"] > 10 * 8 * 5  # steps, rows, tokens at least


@pytest.mark.parametrize(
    ("keys", "batches", "updates"),
    [
        ({}, 375, 375),
        ({"accumulate": 4}, 375, 93.75),
        ({"max_steps": 1000, "accumulate": 4, "epochs": 99}, 1000, 250),
        ({"effective_batch": 256, "max_steps": 1000, "epochs": 999}, 32_000, 1000),
        ({"effective_batch": 256}, 384, 12),
        ({"effective_batch": 4, "max_steps": 100}, 50, 100),
        ({"batch_tokens": 512, "accumulate": 4, "max_steps": 100, "epochs": 9}, 400, 100),
    ],
)
def test_batches_and_steps_are_those_of_the_training(
    keys: dict[str, Any], batches: float, updates: float
) -> None:
    config = train.Config(
        name="t", stage="train", model="m", tasks=("xnli",), batch_size=8, **{"epochs": 3, **keys}
    )
    assert train._batches(config, 1000) == (batches, updates)


def test_as_many_tokens_need_as_much_memory_whatever_a_row_has() -> None:
    model = PlannedModel(plain_config(XLMR), "pair")

    def needed(task: str, **keys: Any) -> int:
        asked = {"method": "full", "compute": "fp32", "max_length": 64, **keys}
        config = train.Config(name="t", stage="train", model="m", tasks=(task,), **asked)
        return training_memory(config, model).total

    assert needed("xcopa", batch_tokens=2048) == needed("xnli", batch_tokens=2048)
    assert needed("xcopa", batch_size=32) > needed("xnli", batch_size=32)


def test_the_text_of_the_languages_alone_is_counted(text: SourceText) -> None:
    model = PlannedModel(plain_config(XLMR), tokenizer=TOKENIZER)

    def steps(*languages: str) -> float:
        keys = {"name": "d", "stage": "distill", "teacher": "t", "languages": languages}
        work = distilling_work(distill.Config(**keys, epochs=2, batch_size=8), model, model, text)
        return sum(part.count for part in work.batches if part.backward == "weights")

    assert steps("de") == 2 * text.parallel(model, ["de"]).total / 8 < steps() / 2


def test_a_teacher_whose_logits_are_kept_reads_each_row_once(text: SourceText) -> None:
    model = PlannedModel(plain_config(XLMR), "pair", 3, tokenizer=TOKENIZER)

    def read(**keys: Any) -> float:
        shared = {
            "name": "d",
            "stage": "distill",
            "teacher": "t",
            "tasks": ("xnli",),
        }
        asked = {**shared, "multilingual": 0, "batch_size": 8, "hidden": 0, **keys}
        config = distill.Config(**asked)
        work = distilling_work(config, model, model, text)
        return sum(part.count * part.rows for part in work.batches if part.backward == "none")

    rows = read(epochs=1)
    assert read(epochs=4, cache="never") == pytest.approx(4 * rows, rel=0.02)
    assert read(epochs=4) == pytest.approx(rows, rel=0.02)
    assert read(epochs=4, hidden=1) == pytest.approx(4 * rows, rel=0.02)
    assert read(max_steps=2, cache="always") == pytest.approx(2 * 8, rel=0.1)
    choices = read(tasks=("xcopa",), epochs=1)  # two sequences per row
    assert read(tasks=("xcopa",), epochs=2) == pytest.approx(choices, rel=0.02)


def test_a_new_encoder_has_its_dropout_in_the_plan() -> None:
    sizes = {"layers": 2, "hidden": 32, "heads": 2, "ffn": 64, "vocabulary": 500}
    for dropout in (0.0, 0.2):
        shape = {**sizes, "dropout": dropout}
        config = pretrain.Config(name="p", stage="pretrain", steps=1, shape=shape)
        model = pretrain.planned(config, {})
        rows = Rows({"en": (9, 9)}, {"en": 2}, 0.0, 0.0)
        (batches,) = training_work(config, model, [(rows, 1.0)], steps=1).batches
        assert batches.dropout == (dropout > 0)
        assert model.config.max_position_embeddings == 258


def test_frozen_embeddings_are_not_updated(found: dict[str, Prediction]) -> None:
    whole, frozen = found["teacher"].parts["optimizer"], found["frozen"].parts["optimizer"]
    assert frozen < 0.7 * whole
    assert found["frozen"].working < found["teacher"].working


def test_a_teacher_is_run_next_to_its_student(found: dict[str, Prediction]) -> None:
    student, teacher = found["student"].parts["compute"], found["teacher"].parts["compute"]
    assert student > teacher  # two layers trained, and all of the teacher's, on pairs


def test_the_disk_of_a_checkpoint_and_of_its_int8_bundle(found: dict[str, Prediction]) -> None:
    real = sum(path.stat().st_size for path in Path("recipes/models/e5-mini").glob("*.*"))
    stored = found["teacher"].output
    assert stored > 0.9 * real
    assert found["int8"].output < 0.5 * found["student"].output < stored
    assert found["scores"].output == found["page"].working == 0


def test_what_cannot_be_predicted_is_said(found: dict[str, Prediction]) -> None:
    assert found["adapter"].unknown == "the speed of training on nf4 was not measured"
    assert not found["of8bit"].unknown  # its rows and its model are known
    lines = total_lines(found, {}, "one stage after the other")
    assert " with a prediction: about " in lines[0] and "one stage after the other" in lines[0]
    assert lines[1].startswith("no prediction of time, the speed of training")
    assert lines[1].endswith(": adapter")


def test_json_and_table_say_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plan: Plan,
    text: SourceText,
    found: dict[str, Prediction],
) -> None:
    monkeypatch.setattr(outlook, "machine_memory", lambda: Place("RAM", 700_000_000))
    facts = plan_facts.facts_of(
        plan,
        Cache(Workspace(tmp_path)),
        lambda labels: on_this_machine(plan, text, labels, 1, lambda threads: Machine()),
    )
    values = as_values(facts)
    stages = {stage["stage"]: stage for stage in values["stages"]}
    for label, one in found.items():
        assert stages[label]["time_unknown"] == (one.unknown or None)
        if not one.unknown:
            assert stages[label]["seconds_by_part"]["compute"] == one.parts["compute"]
            assert stages[label]["disk_bytes"] == round(one.output)
    assert stages["adapter"]["predicted_seconds"] is None
    known = [stage["predicted_seconds"] for stage in stages.values() if not stage["time_unknown"]]
    assert values["total"]["predicted_seconds"] == pytest.approx(sum(known))
    memory = stages["teacher"]["memory"]
    assert memory["bytes"] == sum(memory["parts"].values()) - memory["parts_overlap_bytes"]
    assert not memory["fits"] and memory["with_other_keys"][0]["keys"]
    assert values["machine"]["memory"] == {"of": "RAM", "bytes": 700_000_000}
    assert values["machine"]["probe"] == [{"threads": threads(), "figure": "one"}]
    assert values["cluster"] is None and values["total"]["jobs"] == 1
    lines = plan_table(facts).splitlines()
    row = next(line for line in lines if line.startswith("teacher "))
    assert f"~{duration(stages['teacher']['predicted_seconds'])} " in row
    assert any(line.startswith("teacher: ") and "do not fit into 0.7 GB" in line for line in lines)


def test_only_stages_that_are_asked_for(plan: Plan, text: SourceText) -> None:
    assert list(predict(plan, text, Machine(), ["page"])) == ["page"]
    assert total_lines({}, {}, "") == []


def test_text_without_a_tokenizer_is_not_known(text: SourceText) -> None:
    with pytest.raises(NotKnownAheadError, match="its vocabulary does not exist yet"):
        text.task(PlannedModel(plain_config(XLMR)), "xnli", "train")


def test_rows_of_an_evaluation_and_of_a_training() -> None:
    rows = Rows({"en": (10, 10, 10, 10), "sw": (20,)}, {"en": 400, "sw": 10}, 1.0, 2.0)
    size, length, count = rows.evaluation()
    assert size * length * count == pytest.approx(400 * 10 + 10 * 20)
    assert (rows.total, rows.longest, rows.seconds) == (410, 20, 3.0)
    assert rows.batch_length(5) == 20  # one batch has them all


def test_work_adds_up_and_is_repeated() -> None:
    shape = ModelShape.of(plain_config(XLMR))
    once = Work((Batches(shape, 2, 3, 5.0),), updated=7e6, text=1.5, other=0.5)
    seconds = (once + once.times(2)).seconds(Machine())
    assert seconds["compute"] == 3 * 5 * (2 * 3 * 3)
    assert seconds["optimizer"] == pytest.approx(21) and seconds["text"] == 4.5


def test_the_probe_measures_once_and_a_longer_batch_takes_longer() -> None:
    shape, probe = ModelShape.of(plain_config(XLMR)), Probe(clock=time.process_time)
    short, long = (Batches(shape, 2, n, 1, "weights", dropout=True, updates=1) for n in (8, 800))
    assert 0 < probe.batch(short) < probe.batch(long)
    assert probe.batch(long) == probe.batch(long)
    figure = probe.figures()[-1]
    assert figure["figure"] == "layer" and (figure["rows"], figure["length"]) == (2, 800)
    assert probe.batch(long) == figure["seconds"] * shape.layers
    frozen = Batches(shape, 2, 800, 1, "inputs")
    assert probe.batch(Batches(shape, 2, 800, 1)) < probe.batch(frozen)


@pytest.mark.parametrize(
    ("runs", "fastest"),
    [
        ((900, 900, 30, 20, 32), 20),  # slow runs take none of the time of the fast ones
        ((30, 20, 900, 32, 31), 20),
        ((900, 500, 400, 1), 400),  # long runs are not repeated further
    ],
)
def test_a_run_that_was_held_up_is_no_figure_of_the_probe(
    runs: tuple[int, ...], fastest: int
) -> None:
    now, left = 0.0, [0.0, *(part for run in runs for part in (run / 1000, 0.0))]

    def clock() -> float:
        nonlocal now
        now += left.pop(0)
        return now

    assert Probe(clock=clock).read() == pytest.approx(fastest / 1000 / 32_000_000)


def test_pieces_grow_with_the_text(plan: Plan, text: SourceText) -> None:
    model = next(iter(predict_inputs(plan)))
    some, more = text.pieces(model, ["sw"], 20), text.pieces(model, ["sw", "de"], 400)
    assert 20 < some < more < model.shape().vocabulary


def test_pieces_of_one_text_are_those_it_has(plan: Plan, text: SourceText) -> None:
    model = next(iter(predict_inputs(plan)))
    assert 5 < text.pieces(model, ["de"], 1) < 50
    assert text.pieces(model, ["de"], 1) <= text.pieces(model, ["de", "sw"], 1)


def predict_inputs(plan: Plan) -> Sequence[PlannedModel]:
    from recipes.planning.model_shapes import planned_inputs

    return [inputs["model"][0] for _, inputs, _ in planned_inputs(plan) if "model" in inputs]


def test_longer_text_that_is_skipped_has_no_length() -> None:
    rows = Rows({"en": (12, 9, 24), "sw": (24, 24)}, {"en": 2490, "sw": 3}, 0.1, 0.2)
    assert rows.shorter_than(24).lengths == {"en": [12, 9], "sw": (24, 24)}
