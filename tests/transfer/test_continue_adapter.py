"""An adapter after another one: what is saved is one adapter that says what both said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import published
import pytest
import torch
from adapters import batch, config_of, logits, plain, resumes_exactly
from quick import options

from compress.fuse.fuse import fuse
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Task
from recipes.errors import StageInputError
from recipes.stages import train as stage
from recipes.stages._shared.contract import AdapterFacts, Artifact
from transfer.errors import AdapterError, MethodError
from transfer.find_task import find_task
from transfer.loop.fit import Settings
from transfer.methods import lora
from transfer.methods._sequential import Updates
from transfer.models import checkpoints
from transfer.models.adapters import open_adapter
from transfer.models.continue_adapter import PreviousAdapter
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


def adapter(base: Path, task: Task, folder: Path, **changes: Any) -> Path:
    """Some steps of LoRA in English."""
    chosen: dict[str, Any] = {
        "precision": "nf4",
        "max_steps": 6,
        "settings": Settings(2e-2, seed=3, compute="fp32"),
        "method_options": {"rank": 4},
        **changes,
    }
    work, out = folder / "work", folder / "out"
    train_tasks(base, [task], EMBEDDED, options(**chosen), work=work, out=out)
    return out


@pytest.fixture(scope="module")
def first(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An intermediate adapter: MNLI's, on an NF4 base."""
    return adapter(tiny_base, find_task("mnli"), tmp_path_factory.mktemp("first"))


def live(
    base: Path, task: Task, before: PreviousAdapter, steps: int, out: Path, **chosen: Any
) -> Any:
    """A model with both, trained in memory, and saved."""
    torch.manual_seed(0)
    model, _ = checkpoints.load(base, task, before.adapter.precision)
    before.put_head(model, task, EMBEDDED)
    model = lora.prepare(model, task.format, before.adapter.precision, dropout=0.0, **chosen)
    before.apply(model)
    rows = batch(task, base)
    moved = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(moved, 0.05)
    for _ in range(steps):
        model.train()(**rows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    lora.save(model, out)
    return model.eval()


def read(directory: Path, how: Any, precision: Any = "nf4", **chosen: Any) -> PreviousAdapter:
    found = PreviousAdapter.read(directory, options(precision=precision, sequential=how, **chosen))
    assert found is not None
    return found


@pytest.mark.parametrize("how", ["stack", "start"])
def test_it_begins_where_the_first_one_ended_with_its_head(
    tiny_base: Path, first: Path, tmp_path: Path, how: Any
) -> None:
    xnli = TASKS.get("xnli")
    model = live(tiny_base, xnli, read(first, how), 0, tmp_path, rank=4, alpha=12)
    rows = batch(xnli, tiny_base)
    ended = logits(open_adapter(first, find_task("mnli")).model, rows)
    assert torch.allclose(logits(model, rows), ended, atol=1e-5)
    untouched, _ = checkpoints.load(tiny_base, xnli, "nf4")
    assert (logits(untouched.eval(), rows) - ended).abs().max() > 0.1


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "nf4"])
@pytest.mark.parametrize("how", ["stack", "start"])
def test_what_is_saved_is_one_adapter_of_the_plain_base(
    tiny_base: Path, tmp_path: Path, how: Any, precision: Any
) -> None:
    one = adapter(tiny_base, find_task("mnli"), tmp_path / "one", precision=precision)
    udpos = TASKS.get("udpos")  # another head, which is new
    two = tmp_path / "two"
    model = live(tiny_base, udpos, read(one, how, precision), 3, two, rank=4, scaling="rslora")
    rows = batch(udpos, tiny_base)
    again = logits(plain(tiny_base, udpos, two, precision), rows)
    assert torch.allclose(logits(model, rows), again, atol=2e-4 if precision != "bf16" else 0.05)
    config = config_of(two)
    assert config["r"] == (8 if how == "stack" else 4)
    assert config["base_model_name_or_path"] == str(tiny_base)


@pytest.mark.parametrize(
    "chosen",
    [
        {"targets": ["dense"], "adapter_layers": (2,)},
        {"targets": "all-linear", "rank": 6},
        {"init": "pissa"},
    ],
)
def test_a_stack_of_adapters_in_other_layers_and_of_other_ranks(
    tiny_base: Path, tmp_path: Path, chosen: dict[str, Any]
) -> None:
    udpos = TASKS.get("udpos")
    one = adapter(tiny_base, find_task("mnli"), tmp_path / "one", precision="fp32")
    two = tmp_path / "two"
    model = live(tiny_base, udpos, read(one, "stack", "fp32"), 3, two, **{"rank": 4, **chosen})
    rows = batch(udpos, tiny_base)
    again = plain(tiny_base, udpos, two, "fp32")
    assert torch.allclose(logits(model, rows), logits(again, rows), atol=2e-4)
    below = Updates.read(one)
    for name, factors in below.factors.items():  # what is below is there as it was
        both = Updates.read(two).factors[name]
        assert torch.allclose(both.up[:, :4] @ both.down[:4], factors.up @ factors.down, atol=1e-6)


def test_a_stack_of_three_and_an_encoders_adapter_below(tiny_base: Path, tmp_path: Path) -> None:
    lareqa, mnli, udpos = TASKS.get("lareqa"), find_task("mnli"), TASKS.get("udpos")
    one = adapter(tiny_base, lareqa, tmp_path / "one", precision="fp32")
    stacked: dict[str, Any] = {"precision": "fp32", "sequential": "stack"}
    two = adapter(one, mnli, tmp_path / "two", **stacked)
    three = adapter(two, udpos, tmp_path / "three", **stacked)
    assert [Updates.read(path).rank for path in (one, two, three)] == [4, 8, 12]
    assert not Updates.read(one).head
    rows = batch(udpos, tiny_base)
    said = logits(open_adapter(three, udpos).model, rows)
    assert torch.allclose(logits(plain(tiny_base, udpos, three, "fp32"), rows), said, atol=1e-5)


def test_a_stack_is_fused_as_any_adapter_is(tiny_base: Path, first: Path, tmp_path: Path) -> None:
    xnli = TASKS.get("xnli")
    two = tmp_path / "two"
    live(tiny_base, xnli, read(first, "stack"), 3, two, rank=4)
    checkpoints.write_training(two, base_precision="nf4", embeddings="fp32", task="xnli")
    fused = fuse(two, xnli, tmp_path / "fused", probe=Probe(xnli, EMBEDDED, 4))
    assert fused.drift["dequantized"].agreement > 99
    assert fused.drift["dequantized"].maximum < fused.drift["original"].maximum


@pytest.mark.parametrize("how", ["stack", "start"])
def test_a_training_says_what_it_did(
    tiny_base: Path, first: Path, tmp_path: Path, how: Any
) -> None:
    quick = options(precision="nf4", sequential=how, method_options={"rank": 4})
    for task, head in ((TASKS.get("xnli"), "carried over"), (TASKS.get("udpos"), "new")):
        place = tmp_path / task.name
        done = train_tasks(first, [task], EMBEDDED, quick, work=place / "work", out=place / "out")
        assert done.summary["sequential"] == how
        assert done.summary["head"] == head
        trained = done.summary["trained parameters"]
        alone = train_tasks(
            tiny_base,
            [task],
            EMBEDDED,
            options(precision="nf4", method_options={"rank": 4}),
            work=place / "alone work",
            out=place / "alone",
        )
        assert trained == alone.summary["trained parameters"]  # what is below is frozen


def test_a_head_of_labels_that_are_read_from_rows_goes_on(tiny_base: Path, tmp_path: Path) -> None:
    published.write("ccg", tmp_path / "data", {"train": 120})
    ccg, here = find_task("ccg"), DataSource("xtreme", tmp_path / "data")
    before, after = tmp_path / "before", tmp_path / "after"
    quick = options(method_options={"rank": 4})
    train_tasks(tiny_base, [ccg], here, quick, work=tmp_path / "w", out=before)
    model, _ = checkpoints.load(tiny_base, ccg.labelled(here))
    assert read(before, "stack", "fp32").put_head(model, ccg.labelled(here), here)
    name = "classifier.weight"
    assert torch.equal(model.state_dict()[name], Updates.read(before).head[name])
    going_on = options(sequential="stack", method_options={"rank": 4})
    done = train_tasks(before, [ccg], here, going_on, work=tmp_path / "v", out=after)
    assert done.summary["head"] == "carried over"


def test_a_head_of_other_labels_that_were_read_from_rows_does_not(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.write("ccg", tmp_path / "data", {"train": 120})
    ccg, here, before = find_task("ccg"), DataSource("xtreme", tmp_path / "data"), tmp_path / "a"
    quick = options(method_options={"rank": 4})
    train_tasks(tiny_base, [ccg], here, quick, work=tmp_path / "w", out=before)
    first = ccg.labelled(here)
    record = json.loads((before / "training.json").read_text())
    assert tuple(record["labels"]) == first.labels

    def carried(task: Task, **changes: Any) -> Any:
        """The weights of the head where it goes on."""
        (before / "training.json").write_text(json.dumps(record | changes))
        model, _ = checkpoints.load(tiny_base, task)
        there = read(before, "stack", "fp32").put_head(model, task, here)
        return model.state_dict()["classifier.weight"] if there else None

    head = carried(first)
    turned = carried(first, labels=list(first.labels[::-1]))
    assert torch.equal(turned, head.flip(0))  # rows in the order that was recorded
    assert carried(first, labels=None) is None  # an older adapter
    monkeypatch.setitem(published.CATEGORIES, "PUNCT", "Z")
    published.write("ccg", tmp_path / "data", {"train": 120})
    other = ccg.labelled(here)
    assert len(other.labels) == len(first.labels) and "Z" in other.labels
    assert carried(other) is None


@pytest.mark.parametrize("how", ["stack", "start"])
def test_a_killed_training_ends_as_an_undisturbed_one(
    first: Path, tmp_path: Path, how: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"precision": "nf4", "sequential": how}
    resumes_exactly(first, tmp_path, monkeypatch, "lora", changes, rank=4)


def test_what_does_not_go_together_is_refused(tiny_base: Path, first: Path, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=r"is an adapter; fuse it first, or set sequential"):
        PreviousAdapter.read(first, options(precision="nf4"))
    with pytest.raises(MethodError, match=r"goes on from an adapter, and .* whole checkpoint"):
        PreviousAdapter.read(tiny_base, options(sequential="stack"))
    with pytest.raises(AdapterError, match=r"precision: fp32, but .* in nf4.*set precision: nf4"):
        PreviousAdapter.read(first, options(sequential="stack"))
    model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"), "nf4")
    with pytest.raises(MethodError, match=r"rank: 8, but .* has 4; set rank: 4"):
        read(first, "start").apply(lora.prepare(model, "pair", "nf4", rank=8))
    model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"), "nf4")
    with pytest.raises(MethodError, match=r"targets: encoder.layer.0.* gets no update"):
        read(first, "start").apply(lora.prepare(model, "pair", "nf4", rank=4, targets=["key"]))
    dora = adapter(tiny_base, TASKS.get("xnli"), tmp_path, method_options={"rank": 4, "dora": True})
    with pytest.raises(AdapterError, match="of the kind dora; only a plain lora"):
        read(dora, "stack")


FACTS = AdapterFacts(Artifact("checkpoint"), "lora", "nf4", "fp32", 16)


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        (Artifact("adapter", adapter=FACTS), {"sequential": None}, "sequential: stack .* or start"),
        (Artifact("checkpoint"), {}, "whole checkpoint; leave it out"),
        (Artifact("prompt"), {}, "needs an adapter, is given a prompt"),
        (Artifact("adapter", adapter=FACTS), {"precision": "fp32"}, "set precision: nf4, or put"),
        (Artifact("adapter", adapter=FACTS), {"embeddings": "bf16"}, "set embeddings: fp32"),
        (Artifact("adapter"), {"method": "full", "precision": "fp32"}, "makes one lora of two"),
        (Artifact("adapter"), {"dora": True}, "cannot be added to another update"),
        (Artifact("adapter"), {"sequential": "start", "init": "loftq"}, "are two starts"),
        (
            Artifact("adapter", adapter=FACTS),
            {"sequential": "start", "rank": 8},
            "set rank: 16, or sequential: stack",
        ),
    ],
)
def test_a_recipe_is_refused_before_anything_runs(
    model: Artifact, changes: dict[str, Any], said: str
) -> None:
    keys = {"precision": "nf4", "sequential": "stack", **changes}
    config = stage.Config(name="a", stage="train", model="b", tasks=("xnli",), **keys)
    with pytest.raises(StageInputError, match=said):
        stage.check(config, {"model": (model,)})


def test_a_stack_is_of_the_first_ones_base_and_of_both_ranks() -> None:
    model = Artifact("adapter", adapter=FACTS)
    for how, rank in (("stack", 24), ("start", 16)):
        keys: dict[str, Any] = {"sequential": how, "rank": 8 if how == "stack" else 16}
        config = stage.Config(
            name="a", stage="train", model="b", tasks=("xnli",), precision="nf4", **keys
        )
        gives = stage.check(config, {"model": (model,)})
        assert gives.kind == "adapter" and gives.task == "xnli"
        assert gives.adapter is not None
        assert gives.adapter.base is FACTS.base and gives.adapter.rank == rank
