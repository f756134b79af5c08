"""A head that is trained on keeps its meaning: labels are matched by name, whatever their order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import NLI, renamed, small, turned
from quick import options

from evalsuite.inference.predict_lines import predict_lines
from evalsuite.opening.validated import TRAINING_FILE
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.loop.fit import Settings
from transfer.models import checkpoints as stored
from transfer.models import continue_adapter
from transfer.models.label_rows import output_layer
from transfer.supervised.train_tasks import Trained, train_tasks

EMBEDDED = DataSource("embedded")
LINES = ["A man sleeps.\tNobody is awake.", "Zwei Hunde laufen.\tTiere bewegen sich."]
PANX = TASKS.get("panx").labels


def _train(model: Path, task: str, out: Path) -> Trained:
    """One step so small that the weights stay as they are."""
    asked = options(
        method="full", method_options={}, max_steps=1, settings=Settings(1e-9, 1, compute="fp32")
    )
    work = out.with_name(f"{out.name}-work")
    return train_tasks(model, [TASKS.get(task)], EMBEDDED, asked, work=work, out=out)


@pytest.mark.slow
def test_a_classifier_that_is_trained_on_says_the_same_labels(tmp_path: Path) -> None:
    model = turned(small(tmp_path / "nli"), tmp_path / "turned")
    trained = _train(model, "xnli", tmp_path / "out")
    assert trained.summary["head"] == "carried over, its labels put in the task's order"
    before, after = (list(predict_lines(path, LINES)) for path in (model, tmp_path / "out"))
    for one, other in zip(before, after, strict=True):
        assert list(other["scores"]) == list(NLI)
        assert other["scores"] == pytest.approx(one["scores"], abs=1e-4)


@pytest.mark.slow
def test_a_tagger_that_is_trained_on_says_the_same_tags(tmp_path: Path) -> None:
    model = small(tmp_path / "tags", "tagging", sorted(PANX))
    trained = _train(model, "panx", tmp_path / "out")
    assert trained.summary["head"] == "carried over, its labels put in the task's order"
    before, after = (list(predict_lines(path, LINES)) for path in (model, tmp_path / "out"))
    assert before == after and len({tag for row in before for tag in row["tags"]}) > 1


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_the_rows_are_turned_in_every_precision(precision: Any, tmp_path: Path) -> None:
    plain = small(tmp_path / "nli")
    rows = [
        output_layer(stored.load(path, TASKS.get("xnli"), precision)[0])[1].weight
        for path in (plain, turned(plain, tmp_path / "turned"))
    ]
    assert torch.equal(*rows)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), "its labels LABEL_0, LABEL_1, LABEL_2 have no names"),
        (("yes", "no", "maybe"), "new"),
    ],
)
def test_a_head_for_other_labels_is_new_and_the_summary_says_it(
    labels: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    model = renamed(small(tmp_path / "nli"), tmp_path / "other", labels)
    trained = _train(model, "xnli", tmp_path / "out")
    assert str(trained.summary["head"]).startswith("new") and told in str(trained.summary["head"])
    kept, new = (
        output_layer(stored.frozen(path, "fp32"))[1].weight for path in (model, tmp_path / "out")
    )
    assert new.abs().max() < 0.2 < kept.abs().max()  # begun with a deviation of 0.02


def test_an_adapters_card_has_the_labels_in_its_order(tmp_path: Path) -> None:
    model = turned(small(tmp_path / "nli"), tmp_path / "turned")
    asked = options(max_steps=1, method_options={"rank": 2})
    train_tasks(
        model, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "adapter"
    )
    card = (tmp_path / "adapter" / "README.md").read_text()
    assert f"from_pretrained(BASE, id2label={dict(enumerate(NLI))})" in card


def test_a_previous_adapters_head_is_turned_too(tmp_path: Path) -> None:
    """Where it was trained with the same labels in another order."""
    xnli = TASKS.get("xnli")
    plain = small(tmp_path / "nli")
    asked = options(max_steps=2, method_options={"rank": 2})
    adapter = tmp_path / "adapter"
    train_tasks(plain, [xnli], EMBEDDED, asked, work=tmp_path / "w", out=adapter)
    going_on = replace(asked, sequential="stack")
    heads = []
    for labels in (xnli.labels, xnli.labels[::-1]):
        record = json.loads((adapter / TRAINING_FILE).read_text(encoding="utf-8"))
        text = json.dumps(record | {"labels": labels})
        (adapter / TRAINING_FILE).write_text(text, encoding="utf-8")
        model, _ = stored.load(plain, xnli)
        previous = continue_adapter.PreviousAdapter.read(adapter, going_on)
        assert previous is not None and previous.put_head(model, xnli, EMBEDDED)
        heads.append(output_layer(model)[1].weight)
    assert torch.equal(heads[0], heads[1].flip(0)) and not torch.equal(*heads)
