"""Hidden states of models with different tokenizers, matched by segments of the text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoints import bert, small
from quick import distillation

from compress.distill import plain_text
from compress.distill.distill import distill
from compress.distill.losses import matched_loss
from compress.distill.segments import (
    SegmentedText,
    SegmentedWords,
    Segments,
    segment_states,
    shared_segments,
    shared_starts,
)
from compress.distill.student_batch import Match, StudentBatch
from compress.distill.training_text import read_text
from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from transfer.loop.batch_plan import Batch

EMBEDDED = DataSource("embedded")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An XLM-R with SentencePiece, and a BERT with WordPiece, both with heads for XNLI."""
    here = tmp_path_factory.mktemp("pair")
    return small(here / "teacher"), bert(here / "student")


@pytest.mark.parametrize(
    ("student", "teacher", "numbers"),
    [
        ([2, 5, 9], [5, 7, 9], ([0, 0, 1], [0, 1, 1])),
        ([3, 6], [3, 6], ([0, 1], [0, 1])),
        ([4], [1, 2, 4], ([0], [0, 0, 0])),
        ([3, 6, 9], [3], ([0, -1, -1], [0])),  # the teacher's row was cut short
        ([2], [3], ([-1], [-1])),
        ([], [], ([], [])),
        ([3, 3, 3, 6], [3, 6], ([0, 0, 0, 1], [0, 1])),  # bytes of one character
    ],
)
def test_segments_end_where_pieces_of_both_end(
    student: list[int], teacher: list[int], numbers: tuple[list[int], list[int]]
) -> None:
    assert shared_segments([(0, end) for end in student], [(0, end) for end in teacher]) == numbers


def test_special_tokens_are_in_no_segment_and_two_texts_are_kept_apart() -> None:
    one = [None, (0, 3), (0, 6), None, (1, 3), None]
    two = [None, (0, 6), None, None, (1, 2), (1, 3), None]
    assert shared_segments(one, two) == ([-1, 0, 0, -1, 1, -1], [-1, 0, -1, -1, 1, 1, -1])


def test_the_state_of_a_segment_is_the_mean_of_its_pieces() -> None:
    states = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 6.0], [5.0, 5.0]]])
    means, twice = segment_states([states, 2 * states], torch.tensor([[-1, 0, 0, 1]]), 3)
    assert twice.tolist() == (2 * means).tolist()
    assert means.tolist() == [[[2.0, 4.0], [5.0, 5.0], [0.0, 0.0]]]


def test_each_model_reads_its_own_pieces_of_the_same_text(pair: tuple[Path, Path]) -> None:
    teacher, student = pair
    asked = distillation(layers=None, student=student, hidden=1.0, max_pairs=4, max_length=24)
    rows = plain_text.read(EMBEDDED, student, asked, "pair", teacher=teacher, pieces="segments")
    assert isinstance(rows, SegmentedText)
    tensors = rows.collate(Batch(0, (0, 3), 0))
    tokenizer = tokenization.load(teacher)
    tokenizer.enable_truncation(24, strategy="longest_first")
    read = tokenizer.encode(*rows.texts[0])
    assert tensors["teacher_ids"][0, : len(read.ids)].tolist() == read.ids
    assert tensors["segments"].shape == tensors["input_ids"].shape
    assert tensors["teacher_segments"].shape == tensors["teacher_ids"].shape
    for one, two in zip(tensors["segments"], tensors["teacher_segments"], strict=True):
        assert set(one.tolist()) - {-1} == set(two.tolist()) - {-1} != set()


def test_with_the_same_pieces_the_loss_is_that_of_hidden_states(tmp_path: Path) -> None:
    """Each token of the text is then a segment, so only special tokens are left out."""
    teacher = small(tmp_path / "teacher")
    asked = distillation(layers=None, student=teacher, hidden=1.0, logits=0.0, max_pairs=4)
    lines = ["One.", "Two rivers"]
    plain = plain_text.read(EMBEDDED, teacher, asked, None)
    rows = SegmentedText(plain, lines, teacher, teacher, 24)
    texts = tokenization.load(teacher).encode_batch(lines)
    rows.rows.ids = [text.ids for text in texts]
    tensors = rows.collate(Batch(0, (0, 1), 0))
    for name in ("segments", "teacher_segments"):
        special = [[side is None for side in text.sequence_ids] for text in texts]
        assert [
            [number == -1 for number in row[: len(text.ids)].tolist()]
            for row, text in zip(tensors[name], texts, strict=True)
        ] == special
    models = load_checkpoint(teacher), load_checkpoint(teacher)
    for model in models:
        model.requires_grad_(False)
    models[1].get_input_embeddings().weight += 0.1
    layers = range(models[0].config.num_hidden_layers)
    match = Match.of(*models, list(layers), asked, same_pieces=False)
    batch = StudentBatch.of(tensors)
    loss = matched_loss(models[1], models[0], batch, match)
    states = [model(**batch.inputs, output_hidden_states=True).hidden_states for model in models]
    there = tensors["segments"] >= 0
    terms = []
    for right, own in zip(*states, strict=True):
        wanted, given = right[there], own[there]
        terms.append(((given - wanted) ** 2).mean() / wanted.var(correction=0))
    assert float(loss) == pytest.approx(float(sum(terms) / len(terms)), rel=1e-4)


@pytest.mark.slow
def test_rows_of_tasks_match_logits_and_text_matches_states_too(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, student = pair
    asked = distillation(
        layers=None, student=student, hidden=1.0, logits=1.0, sentences=1.0, epochs=4,
        multilingual=0.5, max_steps=8, max_pairs=6, max_examples=16, batch_size=8, max_length=40,
    )  # fmt: skip
    fitted, _ = distill(
        teacher, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / "work", out=tmp_path / "out"
    )
    assert fitted.steps == 8
    assert read_config(tmp_path / "out")["model_type"] == "bert"


@pytest.mark.slow
def test_a_student_learns_states_on_text_alone(pair: tuple[Path, Path], tmp_path: Path) -> None:
    teacher, student = pair
    asked = distillation(
        layers=None, student=student, hidden=1.0, logits=0.0, max_steps=12, max_pairs=6, epochs=9
    )
    fitted, _ = distill(teacher, [], EMBEDDED, asked, work=tmp_path / "work", out=tmp_path / "out")
    assert fitted.steps == 12 and fitted.final_loss < 0.9 * fitted.first_loss


@pytest.mark.slow
def test_both_sides_are_rows_where_states_and_embeddings_are_matched(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """One pass gives the same sentence loss as embeddings that were computed before."""
    del pair
    teacher, student = small(tmp_path / "t", None), bert(tmp_path / "s", None)
    asked = distillation(
        layers=None, student=student, hidden=1.0, logits=0.0, sentences=1.0, max_pairs=6, epochs=9
    )
    rows = plain_text.read(EMBEDDED, student, asked, None, teacher=teacher, pieces="segments")
    assert isinstance(rows, plain_text.BothSides)
    models = load_checkpoint(student).eval(), load_checkpoint(teacher).eval()
    batch = Batch(0, (0, 5, 9), 0)
    for part in (rows, rows.pairs):
        part.teach(models[1], models[0], [], "fp32", tmp_path / "none", _silent)  # none is drawn
        part.teach(models[1], models[0], [batch], "fp32", tmp_path / type(part).__name__, _silent)
    tensors = rows.collate(batch)
    assert len(tensors["input_ids"]) == len(tensors["teacher_ids"]) == 6
    losses = []
    for part, weights in ((rows, asked), (rows.pairs, replace(asked, hidden=0.0))):
        match = Match.of(models[1], models[0], [0], weights, same_pieces=False)
        losses.append(matched_loss(*models, StudentBatch.of(part.collate(batch)), match).item())
    match = Match.of(models[1], models[0], [0], replace(asked, sentences=0.0), same_pieces=False)
    sides = matched_loss(*models, StudentBatch.of(tensors), match).item()
    assert losses[0] == pytest.approx(losses[1] + sides, rel=1e-3)
    fitted, _ = distill(teacher, [], EMBEDDED, asked, work=tmp_path / "work", out=tmp_path / "out")
    assert fitted.final_loss < fitted.first_loss


def _silent(fraction: float, text: str) -> None:
    """No progress is shown."""


def test_layers_of_a_student_checkpoint_are_kept(pair: tuple[Path, Path], tmp_path: Path) -> None:
    teacher, student = pair
    asked = distillation(layers=(1,), student=student, hidden=1.0, max_pairs=4)
    distill(teacher, [], EMBEDDED, asked, work=tmp_path / "work", out=tmp_path / "out")
    assert read_config(tmp_path / "out")["num_hidden_layers"] == 1
    assert "layers 1 of" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize(
    ("student", "teacher", "starts"),
    [
        ([None, 0, 0, 1, None], [None, 0, 1, 1, None], [-1, 1, -1, 2, -1]),
        ([None, 0, 1, 2, None], [None, 0, None], [-1, 1, -1, -1, -1]),  # cut short
        ([None, None], [None, 0, None], [-1, -1]),
        ([None, 1, 1], [None, 0, 0, 1, 1], [-1, 3, -1]),
    ],
)
def test_words_are_found_in_the_pieces_of_both(
    student: list[int | None], teacher: list[int | None], starts: list[int]
) -> None:
    assert shared_starts(student, teacher) == starts


@pytest.mark.slow
def test_a_tagger_learns_states_and_tags_of_words(tmp_path: Path) -> None:
    teacher, student = small(tmp_path / "teacher", "tagging"), bert(tmp_path / "student", "tagging")
    asked = distillation(
        layers=None, student=student, hidden=1.0, max_steps=12, max_pairs=6, max_length=40, epochs=9
    )
    rows = plain_text.read(EMBEDDED, student, asked, "tagging", teacher=teacher, pieces="segments")
    assert isinstance(rows, SegmentedWords)
    tensors = rows.collate(Batch(0, (0, 4), 0))
    segments = Segments.take(tensors)
    assert segments is not None
    with torch.no_grad():
        logits = load_checkpoint(teacher)(**segments.inputs()).logits
    wanted, matched = segments.logits(logits)
    assert matched is not None and matched.shape == tensors["input_ids"].shape
    starts, places = (
        [read.word_ids.index(word) for word in (0, 2)]
        for read in (
            tokenization.load(path).encode_batch([rows.texts[4]], is_pretokenized=True)[0]
            for path in (student, teacher)
        )
    )
    assert torch.equal(wanted[1, starts], logits[1, places]) and matched[1, starts].all()
    fitted, facts = distill(
        teacher, [], EMBEDDED, asked, work=tmp_path / "work", out=tmp_path / "out"
    )
    assert facts["teacher's logits"] == "with every batch"
    assert fitted.final_loss < 0.9 * fitted.first_loss


def test_a_tagger_matches_states_and_sentences(tmp_path: Path) -> None:
    teacher, student = small(tmp_path / "teacher", "tagging"), bert(tmp_path / "student", "tagging")
    asked = distillation(
        layers=None, student=student, hidden=1.0, logits=0.0, sentences=1.0, max_pairs=4
    )
    text = read_text([], EMBEDDED, teacher, asked, "tagging")
    found = text.parallel()
    assert found is not None
    rows, batches = found
    models = load_checkpoint(student).eval(), load_checkpoint(teacher).eval()
    rows.teach(models[1], models[0], batches, "fp32", tmp_path / "work", _silent)
    tensors = text.parts[-1].collate(batches[0])
    assert {"segments", "teacher_starts", "embeddings", "sides_ids"} <= tensors.keys()
    losses = []
    for weight in (0.0, 1.0):
        weights = replace(asked, sentences=weight)
        match = Match.of(models[1], models[0], [0, 1], weights, same_pieces=False)
        losses.append(matched_loss(*models, StudentBatch.of(tensors), match).item())
    assert losses[1] > losses[0] + 0.1


def test_tensors_without_segments_give_none() -> None:
    assert Segments.take({"input_ids": torch.zeros(1, 1)}) is None
