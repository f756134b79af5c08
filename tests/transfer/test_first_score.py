"""A new head for scores begins with the mean score of its rows; every other head as before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation, options
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from compress.distill.distill import distill
from compress.distill.new_head import with_head
from compress.export.export import export
from compress.static.make import make
from evalsuite import tokenization
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import declare, task_of
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource, Task
from transfer.errors import MethodError
from transfer.loop.fit import Settings
from transfer.models.first_score import fold_units, in_units_of
from transfer.supervised.options import Options
from transfer.supervised.train_tasks import train_tasks

SOURCE = DataSource("files")
STILL = Settings(1e-9, seed=1, compute="fp32")  # so little that the head stays where it begins


@pytest.fixture
def rating(tmp_path: Path) -> Iterator[Task]:
    """Eight rows whose mean score is 41.5."""
    rows = "".join(f"Text {n}.\t{n + 38}\n" for n in range(8))
    (tmp_path / "scores.tsv").write_text("text\tscore\n" + rows)
    file = {"en": str(tmp_path / "scores.tsv")}
    columns = {"text": "text", "score": "score"}
    made = Declaration(format="regression", columns=columns, train=file, dev=file, test=file)
    found = task_of("rating", made)
    declare({"rating": found})
    yield found
    declare({})


def trained(base: Path, tasks: list[Task], how: Options, out: Path) -> dict[str, torch.Tensor]:
    """All tensors that a training writes."""
    train_tasks(base, tasks, SOURCE, how, work=out / "w", out=out / "t")
    files = sorted((out / "t").glob("*.safetensors"))
    return {name: tensor for file in files for name, tensor in load_file(file).items()}


def bias(tensors: dict[str, torch.Tensor]) -> float:
    (found,) = [t for name, t in tensors.items() if name.endswith("out_proj.bias")]
    return float(found)


@pytest.mark.parametrize("method", ["full", "lora", "lora nf4", "bitfit", "soft_prompt"])
def test_it_begins_at_the_mean(method: str, rating: Task, tiny_base: Path, tmp_path: Path) -> None:
    method, _, precision = method.partition(" ")
    extra = {"rank": 4} if method == "lora" else {}
    changes: Any = {"method": method, "precision": precision or "fp32"}
    how = options(method_options=extra, settings=STILL, **changes)
    assert bias(trained(tiny_base, [rating], how, tmp_path)) == pytest.approx(41.5)


@pytest.mark.parametrize("method", ["full", "lora", "lora nf4", "bitfit", "soft_prompt", "both"])
def test_plain_weights_give_what_the_units_gave(
    method: str, rating: Task, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a training that moved the weights; `both` is a mixture of two heads."""
    answers = []

    def fold(model: Any) -> None:
        ids = torch.tensor([[0, 9, 8, 7, 2], [0, 30, 20, 10, 2]])
        part = {"part": torch.tensor(1)} if method == "both" else {}
        for step in (lambda model: None, fold_units):
            step(model)
            with torch.no_grad():
                given = model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids), **part)
            answers.append(given if method == "both" else given.logits)

    monkeypatch.setattr("transfer.supervised.train_tasks.fold_units", fold)
    name, _, precision = method.replace("both", "full").partition(" ")
    extra = {"rank": 4} if name == "lora" else {}
    changes: Any = {"method": name, "precision": precision or "fp32", "max_steps": 8}
    how = options(method_options=extra, settings=Settings(1e-2, seed=1, compute="fp32"), **changes)
    tasks = [TASKS.get("xnli"), rating] if method == "both" else [rating]
    source = DataSource("embedded") if method == "both" else SOURCE
    train_tasks(tiny_base, tasks, source, how, work=tmp_path / "w", out=tmp_path / "t")
    before, after = answers
    assert before.dtype == torch.float32 and torch.allclose(before, after, atol=1e-4)
    assert (before - 41.5).abs().max() > 0.01  # it was trained


def test_a_head_in_bf16_that_cannot_tell_scores_apart_is_refused(tiny_base: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    model.to(torch.bfloat16)
    with pytest.raises(MethodError, match=r"in bf16, which has steps of 8 there; set precision:"):
        in_units_of(torch.tensor([1990.0, 2000.0, 2010.0]), model)
    in_units_of(torch.tensor([0.0, 40.0, 100.0]), model)
    given = model(input_ids=torch.tensor([[0, 9, 8, 7, 2]])).logits.detach()
    assert float(given) == pytest.approx(46.7, abs=20)


def test_scores_of_a_very_small_spread_keep_their_size(tiny_base: Path) -> None:
    """What the loss sees is what the plain weights give."""
    model = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    in_units_of(torch.tensor([0.5, 0.5001, 0.5002]), model)
    ids = torch.tensor([[0, 9, 8, 7, 2]])
    seen = float(model(input_ids=ids).logits.detach())
    fold_units(model)
    assert seen == pytest.approx(float(model(input_ids=ids).logits.detach()), abs=1e-7)


def test_scores_of_a_small_spread_are_learnt_in_bf16(tiny_base: Path) -> None:
    """Years around 2000: bf16 has 1992, 2000 and 2008, and nothing between."""
    model = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    in_units_of(torch.tensor([1990.0, 2000.0, 2010.0]), model)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        score = model(input_ids=torch.tensor([[0, 9, 8, 7, 2]])).logits
    assert score.dtype == torch.float32 and abs(float(score) - 2000) < 3
    assert float(score) % 1 != 0


def test_a_head_that_is_carried_over_learns_in_units_too(
    rating: Task, tiny_base: Path, tmp_path: Path
) -> None:
    """Scores of 0 to 500 after scores around 41.5: their order and their size are learnt."""
    trained(tiny_base, [rating], options(method="full", method_options={}), tmp_path)
    texts = "It rains.", "Two women talk to a man."
    rows = "".join(f"{texts[n % 2]}\t{n % 2 * 500}\n" for n in range(16))
    (tmp_path / "scores.tsv").write_text("text\tscore\n" + rows)
    how = options(
        method="full", method_options={}, settings=Settings(3e-3, seed=1), epochs=40, max_steps=80
    )
    trained(tmp_path / "t", [rating], how, tmp_path / "again")
    low, high = scores_of(tmp_path / "again" / "t", texts)
    assert abs(low) < 100 and abs(high - 500) < 100


def scores_of(directory: Path, texts: Sequence[str]) -> list[float]:
    """What a trained model gives for some texts."""
    model = load_checkpoint(directory).eval()
    ids = [e.ids for e in tokenization.load(directory).encode_batch(list(texts))]
    with torch.no_grad():
        return [float(model(torch.tensor([own])).logits) for own in ids]


def test_scores_are_learnt_in_units_of_their_spread(tiny_base: Path, tmp_path: Path) -> None:
    """The same steps learn scores from 0 to 5 and from 0 to 500; the answers are 100 times."""
    texts = "It rains.", "Two women talk to a man."
    found = []
    for factor in (1, 100):
        folder = tmp_path / str(factor)
        folder.mkdir()
        rows = "".join(f"{texts[n % 2]}\t{n % 2 * 5 * factor}\n" for n in range(16))
        (folder / "scores.tsv").write_text("text\tscore\n" + rows)
        file = {"en": str(folder / "scores.tsv")}
        columns = {"text": "text", "score": "score"}
        task = task_of(f"r{factor}", Declaration(format="regression", columns=columns, train=file))
        steps = Settings(1e-3, seed=1, compute="fp32")
        how = options(method="full", method_options={}, settings=steps, max_steps=30)
        train_tasks(tiny_base, [task], SOURCE, how, work=folder / "w", out=folder / "out")
        found.append([score / factor for score in scores_of(folder / "out", texts)])
    assert found[0] == pytest.approx(found[1], abs=1e-3)
    assert abs(found[0][0] - 2.5) > 0.05  # it was trained


def test_a_head_that_is_carried_over_stays(rating: Task, tiny_base: Path, tmp_path: Path) -> None:
    how = options(method="full", method_options={}, settings=STILL)
    trained(tiny_base, [rating], how, tmp_path)
    (tmp_path / "scores.tsv").write_text("text\tscore\nA.\t1\nB.\t2\n")
    again = trained(tmp_path / "t", [rating], how, tmp_path / "again")
    assert bias(again) == pytest.approx(41.5)


def test_a_student_of_a_bundle_begins_at_the_bundles_mean(
    rating: Task, tiny_base: Path, tmp_path: Path
) -> None:
    how = options(method="full", method_options={}, settings=STILL)
    trained(tiny_base, [rating], how, tmp_path)
    bundle = tmp_path / "bundle"
    export(tmp_path / "t", bundle, precision="fp32")
    asked = distillation(student=tiny_base, layers=None, settings=STILL)
    distill(bundle, [rating], SOURCE, asked, work=tmp_path / "d", out=tmp_path / "s")
    assert bias(load_file(tmp_path / "s" / "model.safetensors")) == pytest.approx(41.5, abs=0.5)


def test_a_static_model_begins_as_the_model_it_is_of(
    rating: Task, tiny_base: Path, tmp_path: Path
) -> None:
    how = options(method="full", method_options={}, settings=STILL)
    trained(tiny_base, [rating], how, tmp_path)
    make(tmp_path / "t", ["A line.", "Another."], tmp_path / "static", width=16)
    tensors = load_file(tmp_path / "static" / "model.safetensors")
    (found,) = [t for name, t in tensors.items() if t.shape == (1,)]
    assert float(found) == pytest.approx(41.5)


def test_each_head_of_a_mixture_is_looked_at(rating: Task, tiny_base: Path, tmp_path: Path) -> None:
    how = options(method="full", method_options={}, settings=STILL, max_steps=2)
    both = [TASKS.get("xnli"), rating]
    train_tasks(
        tiny_base, both, DataSource("embedded"), how, work=tmp_path / "w", out=tmp_path / "t"
    )
    heads = load_file(tmp_path / "t" / "heads.safetensors")
    ends = {name: t for name, t in heads.items() if name.endswith("out_proj.bias")}
    (score,) = [t for name, t in ends.items() if name.startswith("rating")]
    (labels,) = [t for name, t in ends.items() if name.startswith("xnli")]
    assert float(score) == pytest.approx(41.5) and labels.abs().max() < 1


def test_a_narrower_student_begins_as_its_teacher(
    rating: Task, tiny_base: Path, tmp_path: Path
) -> None:
    """Its head cannot be a copy, since the widths differ; the mean is in the bias all the same."""
    how = options(method="full", method_options={}, settings=STILL)
    trained(tiny_base, [rating], how, tmp_path)
    config = AutoConfig.from_pretrained(tiny_base)
    config.hidden_size, config.intermediate_size = 16, 32
    AutoModel.from_config(config).save_pretrained(tmp_path / "narrow")
    teacher = load_checkpoint(tmp_path / "t")
    student = with_head(tmp_path / "narrow", tmp_path / "t", teacher)
    assert student.classifier.dense.weight.shape == (16, 16)
    assert student.classifier.out_proj.bias.tolist() == pytest.approx([41.5])


def test_a_narrower_student_learns_in_units(tiny_base: Path, tmp_path: Path) -> None:
    """Its new head gives scores of 0 to 500, which plain steps of 1e-3 would not reach."""
    texts = "It rains.", "Two women talk to a man."
    rows = "".join(f"{texts[n % 2]}\t{n % 2 * 500}\n" for n in range(16))
    (tmp_path / "scores.tsv").write_text("text\tscore\n" + rows)
    file = {"en": str(tmp_path / "scores.tsv")}
    columns = {"text": "text", "score": "score"}
    task = task_of("far", Declaration(format="regression", columns=columns, train=file))
    how = options(
        method="full", method_options={}, settings=Settings(1e-3, seed=1), epochs=40, max_steps=80
    )
    train_tasks(tiny_base, [task], SOURCE, how, work=tmp_path / "w", out=tmp_path / "t")
    config = AutoConfig.from_pretrained(tiny_base)
    config.hidden_size, config.intermediate_size = 16, 32
    AutoModel.from_config(config).save_pretrained(tmp_path / "narrow")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_base / name, tmp_path / "narrow")
    steps = Settings(3e-3, seed=1)
    asked = distillation(
        student=tmp_path / "narrow",
        layers=None,
        labels=1.0,
        settings=steps,
        max_steps=120,
        epochs=99,
    )
    distill(tmp_path / "t", [task], SOURCE, asked, work=tmp_path / "d", out=tmp_path / "s")
    low, high = scores_of(tmp_path / "s", texts)
    assert abs(low) < 150 and abs(high - 500) < 150
