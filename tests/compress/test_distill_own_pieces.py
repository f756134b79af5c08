"""Teacher and student of other families and tokenizers: each reads the same text its own way."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import NLI, bert, small
from quick import distillation

from compress.distill import distill as distilling
from compress.distill import plain_text
from compress.distill.distill import distill
from compress.distill.own_pieces import Placed, own_tokenizer, parity
from compress.distill.segments import SegmentedText
from compress.distill.targets import Targets
from compress.distill.teachers import logits_function, open_teacher
from compress.distill.training_text import TrainingText
from compress.errors import StudentError
from compress.trim.trim import trim
from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.opening.tokenizer import tokenizer_digest, tokenizer_json
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource, TagExample
from recipes.errors import StageInputError
from recipes.stages._shared.contract import OWN_TOKENIZER, Artifact, HeadFacts
from recipes.stages.distill import Config, check
from transfer.encoded_rows.encoded import Encoder
from transfer.encoded_rows.formats.tagging import Tags
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Fitted
from transfer.loop.types import Summary

EMBEDDED = DataSource("embedded")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An XLM-R with SentencePiece, and a BERT with WordPiece, both with heads for XNLI."""
    here = tmp_path_factory.mktemp("pair")
    return small(here / "teacher"), bert(here / "student")


def learnt(
    teacher: Path, student: Path, tasks: list[str], out: Path, **changes: Any
) -> tuple[Fitted, Summary]:
    asked = distillation(layers=None, student=student, **changes)
    named = [TASKS.get(name) for name in tasks]
    return distill(teacher, named, EMBEDDED, asked, work=out / "work", out=out / "out")


def test_logits_of_a_row_are_the_teachers_on_its_own_pieces(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, student = pair
    task = TASKS.get("xnli")
    theirs = load_rows(task, EMBEDDED, teacher, 64, max_examples=12)
    own = load_rows(task, EMBEDDED, student, 64, max_examples=12)
    assert theirs.lengths() != own.lengths()
    opened = open_teacher(teacher)
    targets = Targets.compute([logits_function(opened)], [theirs], tmp_path / "targets")
    batch = Batch(0, (5, 2), 0)
    found = Placed(targets, [theirs], [own]).batch(batch, 40)
    tensors = theirs.collate(batch)
    inputs = {name: tensors[name] for name in ("input_ids", "attention_mask")}
    wanted = load_checkpoint(teacher)(**inputs).logits
    assert found.keys() == {"targets"}
    assert torch.allclose(found["targets"], wanted, atol=1e-4)


@pytest.mark.slow
def test_a_student_of_another_family_learns_the_teachers_answers(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, student = pair
    task = TASKS.get("xnli")
    before = parity(open_model(teacher), open_model(student), task, EMBEDDED, 8).agreement
    _, facts = learnt(
        teacher, student, ["xnli"], tmp_path, max_steps=40, multilingual=0.3, max_examples=48,
        max_pairs=10, batch_size=16, max_length=80,
    )  # fmt: skip
    out = tmp_path / "out"
    assert facts["teacher's logits"] == "once per row"
    assert not own_tokenizer(out, student) and own_tokenizer(out, teacher)
    assert read_config(out)["model_type"] == "bert"
    assert [read_config(out)["id2label"][str(n)] for n in range(3)] == list(NLI)
    after = parity(open_model(teacher), open_model(out), task, EMBEDDED, 8).agreement
    assert after > before + 5


def tagged(pair: tuple[Path, Path]) -> tuple[Tags, Tags]:
    """Two tagged sentences, in the pieces and windows of each model."""
    task = TASKS.get("udpos")
    words = ("unbelievable", "rivers", "flow", "slowly", "towards", "the", "sea")
    examples = [TagExample("1", words * 6, ("NOUN",) * 42), TagExample("2", words, ("NOUN",) * 7)]
    theirs, own = (
        Tags(task, examples, Encoder(tokenization.load(path), 1, size))
        for path, size in zip(pair, (24, 33), strict=True)
    )
    return theirs, own


def test_logits_of_tags_are_matched_word_by_word(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Rows are cut into windows at other words, and each logit says where it is from."""
    theirs, own = tagged(pair)
    assert len(theirs) > 2 and len(own) > len(theirs)

    class Places:
        """Targets that name the row and the token they are of."""

        labels = 2

        def row(self, part: int, index: int) -> np.ndarray:
            tokens = len(theirs.ids[index])
            return np.array([[index, token] for token in range(tokens)], dtype=np.float32)

    placed: Any = Placed(Places(), [theirs], [own])  # type: ignore[arg-type]
    batch = Batch(0, tuple(range(len(own))), 0)
    width = max(own.lengths())
    found = placed.batch(batch, width)
    checked = 0
    for row, (example, starts) in enumerate(own.words):
        for token, word in enumerate(starts):
            assert found["matched"][row, token] == (word >= 0)
            if word >= 0:
                there, place = found["targets"][row, token].int().tolist()
                assert theirs.words[there][0] == example
                assert theirs.words[there][1][place] == word
                checked += 1
    assert checked == 49


def test_cached_rows_of_tags_are_those_of_the_same_sentences(pair: tuple[Path, Path]) -> None:
    theirs, own = tagged(pair)
    along: Any = SegmentedText.__new__(SegmentedText)
    last = len(own) - 1
    for rows, example in (((0,), 0), ((last,), 1)):
        text = TrainingText([own, along], [Batch(0, rows, 0)], [theirs, along])
        found = text.cached_rows()
        assert found is not None and not found[1]
        there = [row for row, (number, _) in enumerate(theirs.words) if number == example]
        assert found[0] == set(there) and max(there) < len(theirs)


def test_a_word_that_one_of_them_drops_is_not_matched(pair: tuple[Path, Path]) -> None:
    task = TASKS.get("udpos")
    examples = [TagExample("1", ("a", "\u200b", "b"), ("NOUN",) * 3)]
    rows = [Tags(task, examples, Encoder(tokenization.load(path), 1, 24)) for path in pair]
    counts = [sum(word >= 0 for _, words in own.words for word in words) for own in rows]

    class Zeros:
        labels = 2

        def row(self, part: int, index: int) -> np.ndarray:
            return np.zeros((24, 2), dtype=np.float32)

    for theirs, own in (rows, rows[::-1]):
        placed: Any = Placed(Zeros(), [theirs], [own])  # type: ignore[arg-type]
        found = placed.batch(Batch(0, (0,), 0), 24)
        assert found["matched"].sum() == min(counts)
        assert found["targets"].shape == (1, 24, 2)


@pytest.mark.slow
def test_a_tagger_learns_from_another_tokenizers_on_plain_text_too(tmp_path: Path) -> None:
    teacher = small(tmp_path / "teacher", "tagging")
    student = bert(tmp_path / "student", "tagging")
    asked = distillation(layers=None, student=student, max_pairs=6)
    text = plain_text.read(EMBEDDED, student, asked, "tagging", pieces="words")
    assert isinstance(text, plain_text.Words)
    assert [index for index, _ in text.words][:3] == [0, 1, 2]
    fitted, _ = learnt(teacher, student, [], tmp_path, max_steps=12, max_pairs=6, max_length=40)
    assert fitted.steps == 12 and fitted.final_loss < 0.9 * fitted.first_loss


@pytest.mark.slow
def test_sentences_are_embedded_by_each_with_its_own_pieces(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, student = pair
    fitted, _ = learnt(
        teacher, student, [], tmp_path, logits=0.0, sentences=1.0, max_steps=12, max_pairs=6,
        max_length=40,
    )  # fmt: skip
    assert fitted.final_loss < 0.9 * fitted.first_loss
    asked = distillation(layers=None, student=student, sentences=1.0, max_pairs=4)
    rows = plain_text.read(EMBEDDED, student, asked, "pair", teacher=teacher)
    assert isinstance(rows, plain_text.Parallel)
    line = rows.pairs[0][1]
    assert rows.theirs.encode(line).ids == tokenization.load(teacher).encode(line).ids
    assert rows.tokenizer.encode(line).ids == tokenization.load(student).encode(line).ids


def test_how_a_tokenizer_pads_and_cuts_does_not_matter(pair: tuple[Path, Path]) -> None:
    teacher, student = pair
    assert own_tokenizer(student, teacher) and not own_tokenizer(None, teacher)
    tokenizer = tokenization.load(teacher)
    plain = tokenizer.to_str()
    tokenizer.enable_truncation(17)
    tokenizer.enable_padding(length=20)
    assert plain != tokenizer.to_str()
    assert tokenizer_digest(plain) == tokenizer_digest(tokenizer.to_str())
    assert tokenizer_digest(plain) != tokenizer_digest(tokenizer_json(student))


def saved_again(source: Path, out: Path) -> Path:
    """The same tokenizer in another layout, as another version of tokenizers writes it."""
    shutil.copytree(source, out)
    tokenizer = tokenization.load(source)
    tokenizer.enable_padding(length=20)
    read = json.loads(tokenizer.to_str())  # scores that were read and written
    read["model"].pop("byte_fallback", None)  # its default
    (out / "tokenizer.json").write_text(json.dumps(read, indent=1, sort_keys=True))
    return out


def test_how_a_tokenizer_is_laid_out_does_not_matter(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    for source in pair:
        again = saved_again(source, tmp_path / source.name)
        assert not own_tokenizer(again, source)
        read = json.loads(tokenizer_json(again))
        read["normalizer"] = {"type": "Lowercase"}
        assert tokenizer_digest(json.dumps(read)) != tokenizer_digest(tokenizer_json(source))
    read = json.loads(tokenizer_json(pair[0]))
    read["model"]["vocab"][9][1] -= 1e-3
    assert tokenizer_digest(json.dumps(read)) != tokenizer_digest(tokenizer_json(pair[0]))
    assert tokenizer_digest("no tokenizer") != tokenizer_digest("neither")


def checked(head: str = "xnli", **fields: Any) -> Artifact:
    config = Config(name="s", stage="distill", teacher="t", student="s", **fields)
    task, known = (None, None) if head == "encoder" else (head, head)
    facts = HeadFacts(None) if known is None else None
    teacher = Artifact(
        "checkpoint", task, external=known is None, family="bert", head=facts, tokenizer="one"
    )
    student = Artifact("checkpoint", known, family="modernbert", tokenizer="two")
    return check(config, {"teacher": [teacher], "student": [student]})


def test_the_stage_says_ahead_what_cannot_be_matched() -> None:
    found = checked(hidden=0, tasks=("xnli",))
    assert (found.tokenizer, found.family) == ("two", "modernbert")
    assert checked("udpos", hidden=0, tasks=("udpos",)).task == "udpos"
    assert checked("encoder", hidden=0, logits=0, sentences=1).task is None
    assert checked("xquad", hidden=0, logits=0, labels=1, multilingual=0, tasks=("xquad",))
    assert checked(tasks=("xnli",)).task == "xnli"  # hidden states by segments of the text
    with pytest.raises(StageInputError, match="per text or per word, and the teacher has a span"):
        checked("xquad", logits=0, labels=1, tasks=("xquad",))
    with pytest.raises(StageInputError, match="tasks: student and teacher have different token"):
        checked("encoder", logits=0, tasks=("xnli",))
    with pytest.raises(StageInputError, match="set relations: 0, or give a student with the teach"):
        checked(hidden=0, relations=1, tasks=("xnli",))
    with pytest.raises(StageInputError, match=r"numbers of tokens.*set logits: 0 and labels: 1"):
        checked("xquad", hidden=0, tasks=("xquad",))
    with pytest.raises(StageInputError, match=r"own vocabulary.*set logits: 0 and sentences: 1"):
        checked("encoder", hidden=0)
    with pytest.raises(StageInputError, match="cache: never: student and teacher have different"):
        checked(hidden=0, cache="never", tasks=("xnli",))


def test_what_check_could_not_see_is_said_before_any_work(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, student = pair
    with pytest.raises(StudentError, match="relations are matched token by token"):
        learnt(teacher, student, ["xnli"], tmp_path, relations=1.0)


def test_further_teachers_read_the_pieces_of_the_first(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    teacher, _ = pair
    for name in ("trimmed", "alike"):
        trim(teacher, tmp_path / name, {"en": ["A man sleeps.", "Nobody is awake."] * 9})
    trimmed = tmp_path / "trimmed"
    again = saved_again(teacher, tmp_path / "laid out alike")
    task, asked = TASKS.get("xnli"), distillation(max_examples=8, max_steps=1)
    alike = (trimmed, tmp_path / "alike"), (teacher, again)
    for first, other in ((trimmed, teacher), (teacher, trimmed), *alike):
        options = replace(asked, others=(other,))
        where: dict[str, Any] = {"work": tmp_path / "w", "out": tmp_path / "o"}
        if (first, other) in alike:
            assert distill(first, [task], EMBEDDED, options, **where)[0].steps == 1
            continue
        with pytest.raises(StudentError, match=f"others: {other.name} splits .* .trimmed alike"):
            distill(first, [task], EMBEDDED, options, **where)


def test_the_stage_refuses_further_teachers_with_other_pieces() -> None:
    config = Config(
        name="s", stage="distill", teacher="t", others=("o",), tasks=("xnli",), hidden=0
    )
    one, two = f"{OWN_TOKENIZER}: small-a", f"{OWN_TOKENIZER}: small-b"
    inputs = {
        role: [Artifact("checkpoint", "xnli", tokenizer=tokenizer)]
        for role, tokenizer in (("teacher", "digest"), ("others", "another"))
    }
    with pytest.raises(StageInputError, match=r"^others: o splits .*, or leave o out"):
        check(config, inputs)
    may_be_alike = (one, two), ("digest", one), (one, "digest"), ("digest",) * 2, (None, "digest")
    for pair in may_be_alike:
        teachers = [Artifact("checkpoint", "xnli", tokenizer=name) for name in pair]
        assert check(config, {"teacher": teachers[:1], "others": teachers[1:]}).task == "xnli"


def test_rows_are_as_long_as_every_teacher_reads(pair: tuple[Path, Path], tmp_path: Path) -> None:
    teacher, _ = pair
    shorter = shutil.copytree(teacher, tmp_path / "shorter")
    changed = read_config(shorter) | {"max_position_embeddings": 42}
    (shorter / "config.json").write_text(json.dumps(changed))
    for others, longest in (((), 64), ((shorter,), 40)):
        found = distilling._fitted_options(teacher, distillation(others=others), "pair")
        assert found.max_length == longest
