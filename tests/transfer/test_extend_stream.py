"""`extend` reads single lines from a stream: which text, and the same after a kill."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite import tokenization
from evalsuite.data import parallel
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import extend as stage
from recipes.stages._shared.contract import Artifact, DataNeed
from transfer.extend.corpus import encode, read_text, train_vocabulary
from transfer.extend.extend import Options, extend
from transfer.extend.plan import ENGLISH, LINES, MLM, SENTENCES, Plan, _known, make_plan
from transfer.extend.rules import readers
from transfer.extend.streams import StreamRows, open_streams
from transfer.loop.types import Progress
from transfer.registry import TEACHERS
from transfer.sentence_teacher import Teacher
from transfer.text import vocabulary
from transfer.text.kept_text import KeptText, text_of
from transfer.text.parallel_text import Text

EMBEDDED = DataSource("embedded")
LINE = re.compile(r"(?:er liest|anasoma|he reads) number \d+(?: word)*")
BEGINNINGS = {"de": "er liest", "sw": "anasoma", "en": "he reads"}
QUICK = {
    "name": "base",
    "stage": "extend",
    "model": "./english",
    "store": "fp32",
    "vocabulary": 400,
    "vocabulary_lines": 300,
    "case": "keep",
    "steps": 8,
    "batch_size": 8,
    "max_length": 12,
    "learning_rate": 1e-3,
    "compute": "fp32",
    "sentences": 0.3,
    "lines": 0.3,
    "words": 0.2,
    "tlm": 0.0,
    "mlm": 0.2,
    "english": 1.0,
    "init": "random",
}


def silent(fraction: float, text: str) -> None:
    """Shows nothing."""


@pytest.fixture
def places(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """A file per language: 400 German lines, 90 Swahili ones and 300 English ones."""
    for code, count in (("de", 400), ("sw", 90), ("en", 300)):
        lines = (f"{BEGINNINGS[code]} number {n}" + " word" * (n % 15) for n in range(count))
        (tmp_path / f"{code}.txt").write_text("\n".join(lines), encoding="utf-8")
    return {code: (str(tmp_path / f"{code}.txt"),) for code in BEGINNINGS}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a second teacher of German and English was asked; it is the only one there is."""
    seen: list[str] = []

    def program() -> Callable[[Sequence[str]], np.ndarray]:
        def embed(lines: Sequence[str]) -> np.ndarray:
            seen.extend(lines)
            angle = np.array([len(line) for line in lines])
            return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)

        return embed

    teacher = Teacher("json", "nothing", ("de", "en"), 3, program)
    monkeypatch.setattr(TEACHERS, "get", lambda name: teacher)
    return seen


def config(**changes: Any) -> stage.Config:
    return stage.Config.model_validate(QUICK | changes)


def options(tmp_path: Path, **changes: Any) -> Options:
    context: Any = SimpleNamespace(seed=1, tokens=tmp_path / "tokens")
    return stage.options(config(**changes), context)


def planned(chosen: Options, folder: Path) -> Plan:
    """The plan of a training, made anew from the text."""
    text = read_text(EMBEDDED, chosen, silent)
    train_vocabulary(text, chosen, folder, 96, silent)
    tokenizer = tokenization.load(folder)
    streams = open_streams(chosen, folder, EMBEDDED)
    return make_plan(tokenizer, encode(tokenizer, text, chosen), chosen, streams)


def drawn(plan: Plan, first: int = 0) -> list[tuple[int, list[list[int]]]]:
    """The part and the ids of the batches from one on."""
    return [
        (batch.part, [plan.parts[batch.part].ids[i] for i in batch.indices])
        for batch in plan.batches[first:]
    ]


def test_each_objective_reads_its_languages_of_the_stream(
    places: Any, asked: list[str], tmp_path: Path
) -> None:
    chosen = options(tmp_path, stream=places, second_teacher="fake", steps=60)
    plan = planned(chosen, tmp_path / "tokenizer")
    tokenizer = tokenization.load(tmp_path / "tokenizer")
    tokenizer.enable_truncation(chosen.max_length)
    read: dict[int, set[str]] = {}
    for batch in plan.batches:
        ids = plan.parts[batch.part].ids
        if isinstance(ids, StreamRows) and batch.part != MLM:
            texts = [ids.text(i) for i in batch.indices]
            assert [tokenizer.encode(text).ids for text in texts] == [ids[i] for i in batch.indices]
            read.setdefault(batch.part, set()).update(texts)
    begun = {part: {line.split(" number")[0] for line in lines} for part, lines in read.items()}
    assert begun == {LINES: {"er liest", "he reads"}, ENGLISH: {"he reads"}}
    assert all(LINE.match(line) for lines in read.values() for line in lines)
    assert not plan.parts[SENTENCES].lines and plan.parts[MLM].ids[0]
    assert drawn(planned(chosen, tmp_path / "tokenizer"), 47) == drawn(plan)[47:]  # after a kill


def test_a_region_of_a_language_is_that_language(
    places: Any, asked: list[str], tiny_english: Path, tmp_path: Path
) -> None:
    regions = {"de-AT": places["de"], "sw": places["sw"], "en_GB": places["en"]}
    known = ("de", "en")
    assert readers(regions, known, mlm=0.1, lines=0.1, english=0.1) == {
        "mlm": ("de-AT", "sw", "en_GB"),
        "lines": ("de-AT", "en_GB"),
        "english": ("en_GB",),
    }
    inputs = {"model": (Artifact("checkpoint"),)}
    assert stage.check(config(stream=regions, second_teacher="fake"), inputs)
    chosen = options(tmp_path, stream=regions, second_teacher="fake", steps=2)
    assert not chosen.paired
    extend(tiny_english, EMBEDDED, chosen, work=tmp_path / "work", out=tmp_path / "out")
    assert any(line.startswith("he reads") for line in asked)  # what its head starts from
    text = Text(("de-AT", "sw", "en"), [(0, "a", "b"), (1, "c", "d")], [(0, "e"), (1, "f")], 0)
    corpus: Any = SimpleNamespace(text=text, train=[0, 1])
    assert [line for _, line in _known(corpus, [0, 1], chosen)] == ["a", "b", "e"]


def test_a_teacher_reads_as_much_of_a_line_as_its_student(places: Any, tmp_path: Path) -> None:
    lines = Path(places["sw"][0]).read_text(encoding="utf-8").title().split("\n")
    tokenizer = vocabulary.train_unigram(lines, 200, "mark")
    tokenizer.enable_truncation(10)
    kept = KeptText(tokenizer)
    texts = [text_of(row.ids.tolist()) for row in kept.encode_batch_fast([*lines, "½ 漢"])]
    assert texts[-1] == "½ 漢" and any(text in lines for text in texts[:-1])
    cut = [(line, text) for line, text in zip(lines, texts, strict=False) if text != line]
    assert len(cut) > 20 and all(line.startswith(text) for line, text in cut)
    mark = tokenizer.token_to_id("▁" + vocabulary.CASE_MARK)  # of the word after the cut
    for line, text in cut:
        of_line, of_text = (tokenizer.encode(each).ids[:-1] for each in (line, text))
        assert of_line in (of_text, [*of_text, mark])


def test_the_vocabulary_is_learnt_from_some_lines_without_evaluation_text(
    places: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldOut(["He reads number 3 word word word!", "anasoma number 0"])
    monkeypatch.setattr(HeldOut, "read", lambda source: held)
    chosen = options(tmp_path, stream=places, sentences=0)
    text = read_text(EMBEDDED, chosen, silent)
    assert text.languages == ("de", "sw", "en") and not text.pairs
    assert [len([1 for n, _ in text.lines if n == code]) for code in range(3)] == [100, 89, 100]
    assert not any(line in held for _, line in text.lines)
    (tmp_path / "sw.txt").write_text("a" * 5000 + "\n", encoding="utf-8")
    longest = max(len(line) for _, line in read_text(EMBEDDED, chosen, silent).lines)
    assert longest == 1000
    (tmp_path / "sw.txt").write_text("anasoma number 0\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"sw.txt: there is no text in it that is not evaluation"):
        planned(chosen, tmp_path / "tokenizer")


def test_a_killed_extension_goes_on_with_the_same_stream(
    places: Any, asked: list[str], tiny_english: Path, tmp_path: Path
) -> None:
    mixed = options(
        tmp_path,
        stream=places,
        second_teacher="fake",
        english=0.5,
        languages=["sw"],
        prose=False,
        held_out=10,
        max_pairs=60,
        max_length=24,
        save_every=1e-9,
    )

    def run(name: str, work: str, progress: Progress = silent) -> dict[str, Any]:
        folders: dict[str, Any] = {"work": tmp_path / work, "out": tmp_path / name}
        return extend(tiny_english, EMBEDDED, mixed, progress=progress, **folders)[1]

    whole = run("whole", "a")
    pairs = {pair.english for pair in parallel.pairs(EMBEDDED, "sw")}
    assert pairs & set(asked) and whole["held-out retrieval"] != "not measured"
    assert any(line.startswith("er liest") for line in asked)
    assert not any(line.startswith("anasoma") for line in asked)  # no language of the teacher

    def stop(fraction: float, text: str) -> None:
        if text.startswith("step 5 of "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("cut", "b", stop)
    resumed = run("cut", "b")
    weights = [(tmp_path / d / "model.safetensors").read_bytes() for d in ("whole", "cut")]
    assert weights[0] == weights[1] and whole["final loss"] == resumed["final loss"]
    assert whole["single lines"] == 790 and whole["sentence pairs"] == 60
    assert "tokens seen" not in whole and whole["rows seen"] >= 64


def test_keys_of_the_stage(places: Any, asked: list[str]) -> None:
    inputs = {"model": (Artifact("checkpoint"),)}
    gives = stage.check(config(stream=places), inputs)
    whole = stage.data(config(stream=places), gives)
    assert [need.split for need in whole] == ["file", "file", "file", "held out"]
    needs = stage.data(config(stream=places, tlm=0.2), gives)
    assert needs == (DataNeed("parallel", "parallel"), *whole)
    assert not {"stream", "shuffle_buffer"} & config().model_dump().keys()  # finished ones stay so
    plain = {"stream": {"sw": places["sw"]}}
    for changes, message in (
        ({"max_lines": 3}, "in place of the source's single lines; remove max_lines"),
        ({"sentences": 0, "prose": False, "languages": ["sw"]}, "remove languages, prose, which"),
        ({"stream": None, "shuffle_buffer": 9}, "shuffle_buffer: only with stream"),
    ):
        with pytest.raises(ValidationError, match=message):
            config(**plain | changes)
    taught = {"second_teacher": "fake", "sentences": 0}
    for more, message in (
        ({"mlm": 0, "lines": 0}, "stream: no objective reads sw; set mlm above 0, or remove it"),
        (taught, "its head starts from English lines; add en to stream"),
        ({"stream": {"sw": ["hub:a/b"]}}, "stream, sw: hub:a/b: a data set of the hub is"),
    ):
        with pytest.raises(StageInputError, match=message):
            stage.check(config(**plain | more), inputs)


def test_without_known_languages_the_second_teacher_reads_pairs(
    places: Any, asked: list[str], tmp_path: Path
) -> None:
    chosen = options(
        tmp_path,
        stream={"sw": places["sw"]},
        second_teacher="fake",
        languages=["de"],
        prose=False,
        max_pairs=60,
        max_length=40,
        sentences=0,
        tlm=0.1,
    )
    plan = planned(replace(chosen, vocabulary_lines=200), tmp_path / "tokenizer")
    sides = {
        line for pair in parallel.pairs(EMBEDDED, "de") for line in (pair.foreign, pair.english)
    }
    assert set(plan.parts[LINES].lines) <= sides and len(plan.parts[LINES].lines) > 10
    assert isinstance(plan.parts[MLM].ids, StreamRows) and plan.seen is None
