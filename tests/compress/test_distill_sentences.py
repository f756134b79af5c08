"""Sentence embeddings as what a student matches: both sides of a pair, any width, any head."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import distillation

from compress.distill import plain_text
from compress.distill.distill import distill
from compress.distill.narrow import Shape
from compress.distill.rules import nothing_matched, other_tokenizer
from compress.distill.sentences import cosines_loss, sentence_loss, turn
from compress.errors import StudentError
from evalsuite import tokenization
from evalsuite.data import parallel
from evalsuite.inference.checkpoint_config import head_of, read_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.retrieval.embedding import Embedder
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.distill import Config, check
from transfer.loop.batch_plan import Batch
from transfer.objectives.sentence_vectors import SentenceVectors

EMBEDDED = DataSource("embedded")
ALONE = {"logits": 0.0, "hidden": 0.0, "labels": 0.0, "sentences": 1.0, "max_pairs": 60}


def unit(rows: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(rows, width, generator=generator), dim=-1)


def embedded(directory: Path, lines: list[str]) -> np.ndarray:
    """Of unit length, by the code that scores retrieval."""
    session = Session(open_model(directory))
    found = Embedder(session, session.predictor.layers, "mean")(lines)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_of_one_width_the_error_is_squared_distance_in_the_teachers_spread() -> None:
    target, own = unit(5, 8, 1), unit(10, 8, 2)
    wanted = sum(float(((own[i] - target[i % 5]) ** 2).sum()) for i in range(10)) / 10
    assert float(sentence_loss(own, target, 0.5)) == pytest.approx(wanted / 0.5, rel=1e-5)
    assert float(sentence_loss(torch.cat((target, target)), target, 0.5)) == 0
    mean = target.mean(0)
    spread = float((target - mean).square().sum(-1).mean())
    assert float(sentence_loss(mean.expand(10, -1), target, spread)) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(("wide", "narrow"), [(8, 8), (8, 3), (3, 8)])
def test_the_turn_is_the_one_that_brings_embeddings_nearest(wide: int, narrow: int) -> None:
    teacher, student = unit(40, wide, 1).numpy(), unit(40, narrow, 2).numpy()
    found = turn(teacher, student)
    fewer = min(wide, narrow)
    square = found.T @ found if narrow <= wide else found @ found.T
    assert found.shape == (wide, narrow) and np.allclose(square, np.eye(fewer), atol=1e-5)
    best = float((teacher @ found * student).sum())
    for seed in range(20):
        other = np.linalg.qr(unit(max(wide, narrow), fewer, seed + 5).numpy())[0]
        other = other if narrow <= wide else other.T
        assert float((teacher @ other * student).sum()) < best
    hidden = np.linalg.qr(unit(max(wide, narrow), fewer, 3).numpy())[0]
    hidden = hidden if narrow <= wide else hidden.T
    if narrow <= wide:  # what was turned is turned back
        seen = student @ hidden.T
        assert np.allclose(turn(seen, student), hidden, atol=1e-4)


def test_targets_are_what_retrieval_embeds_of_the_english_side(
    tiny_nli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = distillation(**ALONE)
    text = plain_text.read(
        EMBEDDED, tiny_nli, asked, head_of(read_config(tiny_nli)), teacher=tiny_nli
    )
    assert isinstance(text, plain_text.Parallel)
    batches = [Batch(0, (2, 0), 1), Batch(0, (2, 5), 2)]
    calls: list[int] = []
    embed = plain_text.embed
    monkeypatch.setattr(
        plain_text,
        "embed",
        lambda model, ids, *more: calls.append(len(ids)) or embed(model, ids, *more),
    )
    teacher = load_checkpoint(tiny_nli)
    for _ in range(2):  # the second time from the disk
        text.teach(teacher, teacher, batches, "fp32", tmp_path, lambda fraction, what: None)
    assert calls == [len({text.pairs[i][1] for i in (0, 2, 5)})]
    found = text.collate(batches[1])
    lines = [text.pairs[i][1] for i in (2, 5)]
    assert np.allclose(found["embeddings"], embedded(tiny_nli, lines), atol=2e-3)
    assert found["sides_ids"].shape[0] == 4 and found["input_ids"].shape[0] == 2
    foreign = [text.pairs[i][0] for i in (2, 5)]
    plain = tokenization.load(tiny_nli)
    for ids, mask, line in zip(
        found["sides_ids"], found["sides_mask"], [*lines, *foreign], strict=True
    ):
        assert ids[mask.bool()].tolist() == plain.encode(line).ids


@pytest.mark.parametrize("shape", [Shape(), Shape(width=32, heads=2, ffn=64)], ids=["same", "half"])
@pytest.mark.parametrize("head", [False, True], ids=["encoder", "head"])
def test_sentences_alone_bring_translations_to_the_teacher(
    shape: Shape, head: bool, tiny_base: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    teacher = tiny_nli if head else tiny_base
    asked = distillation(**ALONE, layers=1, shape=shape)
    outs = [tmp_path / name for name in ("start", "end")]
    for out, steps in zip(outs, (1, 120), strict=True):
        changed = dataclasses.replace(
            asked,
            max_steps=steps,
            settings=dataclasses.replace(asked.settings, learning_rate=5e-4 if steps > 1 else 1e-9),
        )
        _, facts = distill(teacher, [], EMBEDDED, changed, work=out / "work", out=out)
    assert facts["teacher's logits"] == "with every batch"
    assert read_config(outs[1])["hidden_size"] == (shape.width or 64)
    rows = list(parallel.pairs(EMBEDDED, "de"))[:60]
    wanted = embedded(teacher, [row.english for row in rows])
    errors = []
    for out in outs:
        english, foreign = (
            embedded(out, [getattr(row, side) for row in rows]) for side in ("english", "foreign")
        )
        target = wanted
        if shape.width:
            target = wanted @ turn(wanted, english)
            target /= np.linalg.norm(target, axis=1, keepdims=True)
        both = torch.from_numpy(np.concatenate([english, foreign]))
        found = sentence_loss(both, torch.from_numpy(target), float(target.var(0).sum()))
        errors.append(float(found))
    assert errors[1] < 0.9 * errors[0], errors
    assert head_of(read_config(outs[1])) == head_of(read_config(teacher))


def test_beside_a_task_its_logits_are_matched_too(tiny_nli: Path, tmp_path: Path) -> None:
    moved = []
    for sentences in (0.0, 1.0):
        asked = distillation(multilingual=0.5, sentences=sentences, max_steps=6)
        fitted, _ = distill(
            tiny_nli, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / f"w{sentences}",
            out=tmp_path / str(sentences),
        )  # fmt: skip
        moved.append(fitted.final_loss)
    assert moved[0] != moved[1]
    assert open_model(tmp_path / "1.0").labels == open_model(tiny_nli).labels


def test_nothing_to_match_is_said_before_work(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(StudentError, match="tasks: nothing is matched on their rows; leave tasks"):
        distill(
            tiny_base, [TASKS.get("xnli")], EMBEDDED, distillation(sentences=1.0, multilingual=0.5),
            work=tmp_path / "w", out=tmp_path / "o",
        )  # fmt: skip
    (problem,) = nothing_matched(distillation(logits=0.0, labels=1.0), tasks=True, plain=0.5)
    assert "nothing is matched on text without labels; set multilingual: 0" in problem
    chosen = distillation(logits=1.0)
    (problem,) = nothing_matched(chosen, tasks=True, plain=0.5, choices=True)
    assert problem.endswith("set multilingual: 0, or set hidden, relations or sentences above 0")
    assert not nothing_matched(chosen, tasks=True, plain=0.5)
    assert not nothing_matched(chosen, tasks=True, plain=0.0, choices=True)


def test_rows_of_retrieval_have_no_gold_labels(tiny_base: Path, tmp_path: Path) -> None:
    asked = distillation(logits=0.0, labels=1.0)
    with pytest.raises(StudentError, match="labels: lareqa has no gold labels, and nothing else"):
        distill(
            tiny_base, [TASKS.get("lareqa")], EMBEDDED, asked,
            work=tmp_path / "w", out=tmp_path / "o",
        )  # fmt: skip
    both = ["lareqa", "mewslix"]
    (problem,) = nothing_matched(asked, True, 0.0, both)
    assert problem.startswith("labels: lareqa, mewslix have no gold labels, and nothing else is ")
    assert "matched on their rows; leave them out of tasks, or set" in problem
    for names, labels, said in (
        (both[:1], 1.0, "lareqa; leave lareqa out of tasks, or set logits above 0"),
        (both, 1.0, "lareqa, mewslix; leave lareqa, mewslix out of tasks, or set logits above 0"),
        (both, 0.0, "tasks; leave tasks out, or set logits above 0"),
        ([], 0.0, "tasks; leave tasks out, or set logits or labels above 0"),
    ):
        hidden = distillation(logits=0.0, hidden=1.0, labels=labels)
        (apart,) = other_tokenizer(hidden, None, tasks=True, unlabelled=names)
        assert apart.endswith(f"nothing is matched on rows of {said}")
    config = Config(
        name="s", stage="distill", teacher="t", tasks=("lareqa",), logits=0, hidden=0, labels=1,
        multilingual=0,
    )  # fmt: skip
    with pytest.raises(StageInputError, match="labels: lareqa has no gold labels, and nothing"):
        check(config, {"teacher": [Artifact("checkpoint", external=True)]})


def test_the_stage_says_what_sentences_need() -> None:
    def checked(task: str | None = "xnli", **fields: Any) -> Artifact:
        config = Config(name="s", stage="distill", teacher="t", layers=3, **fields)
        return check(config, {"teacher": [Artifact("checkpoint", task)]})

    alone = {"logits": 0, "hidden": 0, "sentences": 1}
    assert checked(None, **alone, width=384).kind == "checkpoint"
    assert checked(sentences=1, tasks=("xnli",)).task == "xnli"
    with pytest.raises(
        StageInputError, match="nothing is matched on their rows; leave tasks out, or set"
    ):
        checked(**alone, tasks=("xnli",))
    with pytest.raises(
        StageInputError, match="sentences: needs multilingual text; set multilingual above 0"
    ):
        checked(sentences=1, tasks=("xnli",), multilingual=0)
    with pytest.raises(
        StageInputError, match="matched on text without labels; set multilingual: 0"
    ):
        checked(logits=0, hidden=0, labels=1, tasks=("xnli",))


def test_lines_of_text_are_matched_each_for_itself_with_the_prefix_and_cut(
    tiny_base: Path, tmp_path: Path
) -> None:
    lines = ["Es regnet.", "It rains.", "A man sleeps.", "Nein, danke.", "Yes"]
    (tmp_path / "t.txt").write_text("\n".join(lines) + "\n")
    vectors = SentenceVectors(prefix="query: ", dimensions=(16,))
    asked = distillation(**ALONE, layers=1, text=(tmp_path / "t.txt",), vectors=vectors)
    distill(tiny_base, [], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")
    found = declared_by(tmp_path / "o")
    assert (found.prefix, found.pooling, found.dimensions) == ("query: ", "mean", (16,))
    made = dataclasses.replace(asked, each_side=True)
    text = plain_text.read(EMBEDDED, tiny_base, made, None, teacher=tiny_base)
    assert isinstance(text, plain_text.Parallel)
    teacher, batches = load_checkpoint(tiny_base), [Batch(0, (0, 1, 3), 1)]
    text.teach(teacher, teacher, batches, "fp32", tmp_path, lambda fraction, what: None)
    batch = text.collate(batches[0])
    right = embedded(tiny_base, ["query: " + lines[i] for i in (0, 1, 3)])
    assert np.allclose(batch["embeddings"], right, atol=2e-3)
    assert torch.equal(batch["sides_ids"], batch["input_ids"])  # the prefix is in both


def test_cut_vectors_are_to_have_the_teachers_cosines() -> None:
    target = unit(6, 8, 1)
    mixed = torch.cat((target, unit(6, 4, 2)), dim=1)  # the first 8 of 12 numbers are the teacher's
    assert (
        float(cosines_loss(mixed, target, (8,))) < 1e-9 < float(cosines_loss(mixed, target, (2,)))
    )
    assert float(cosines_loss(mixed, target, ())) == 0
    assert float(cosines_loss(mixed[:2], target[:2], (2,))) == 0
    both = torch.cat((mixed, mixed))  # English sides, then translations
    assert float(cosines_loss(both, target, (8,))) < 1e-9
