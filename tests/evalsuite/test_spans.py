"""Answers as spans: windows, exact characters, what is read, trained, exported and scored."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from heads import bundle_card
from quick import distillation, options
from safetensors.torch import load_file

from compress.distill.distill import distill
from compress.distill.student import cut
from compress.export.export import export
from compress.export.registry import EXPORTERS
from compress.fuse.fuse import fuse
from evalsuite import scoring, tokenization
from evalsuite.data.answer_forms import squad
from evalsuite.data.embedded import generate as embedded
from evalsuite.data.squad import questions
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import span
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.submission import files
from evalsuite.task import Answer, DataSource, SpanExample
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.fit import Settings
from transfer.models.checkpoints import copy_tokenizer
from transfer.objectives.spans import ends_loss, over_tokens
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
XQUAD = TASKS.get("xquad")


def right(examples: Any, windows: Any) -> list[np.ndarray]:
    """The logits of a model that knows where the answer is, and where it is not."""
    outputs = []
    for window in windows:
        logits = np.zeros((len(window.ids), 2), dtype=np.float32)
        if ends := span.target(examples[window.example], window):
            logits[ends[0], 0] = logits[ends[1], 1] = 9
        outputs.append(logits)
    return outputs


@pytest.mark.parametrize("longest", [512, 60])
@pytest.mark.parametrize("language", embedded.LANGUAGES)
def test_the_right_span_comes_back_exactly(tiny_base: Path, language: str, longest: int) -> None:
    tokenizer = tokenization.load(tiny_base)
    examples = embedded.qa("dev", language)[:40]
    windows = span.encode(tokenizer, examples, longest)
    assert max(len(window.ids) for window in windows) <= longest
    assert all(len(window.spans) == len(window.ids) for window in windows)
    assert longest > 60 or len(windows) > len(examples)
    found = span.decode(XQUAD.labels, examples, windows, right(examples, windows))
    scores = scoring.score(scoring.answers(XQUAD, language, examples, found))
    assert scores == {"exact_match": 100, "answer_f1": 100}
    assert found == [example.answers[0].text for example in examples]


def test_a_length_that_has_no_room_for_a_context_is_refused(tiny_base: Path) -> None:
    examples = [SpanExample("1", "who lives in the house by the sea", "She does.", ())]
    with pytest.raises(DataError, match="max_length: 8 tokens leave no room for the context"):
        span.encode(tokenization.load(tiny_base), examples, 8)


def test_every_part_of_a_context_is_in_a_window() -> None:
    for tokens, size in ((10, 20), (20, 20), (21, 20), (400, 300), (5000, 100)):
        starts = span._starts(tokens, size)
        overlap = min(span.OVERLAP, size // 2)
        assert starts[0] == 0 and starts[-1] + size >= tokens
        assert all(b - a == size - overlap for a, b in itertools.pairwise(starts))
        assert len(starts) == 1 or starts[-2] + size < tokens


def test_the_best_span_is_ordered_short_and_of_the_context() -> None:
    spans = [(-1, -1), (-1, -1), *[(i, i + 1) for i in range(50)], (-1, -1)]
    window = span.Encoded(0, list(range(53)), spans=spans)
    logits = np.full((53, 2), -1.0, dtype=np.float32)
    logits[0] = logits[52] = 99  # specials never are an answer
    logits[12, 0], logits[5, 1], logits[14, 1] = 5, 9, 4  # an end before its start is none
    assert span._best(logits, window) == (9, 10, 13)
    logits[51, 1], logits[51, 0] = 8, -9  # further away from the start than an answer is long
    assert span._best(logits, window) == (9, 10, 13)
    empty = span.Encoded(0, [0, 2], spans=[(-1, -1)] * 2)
    assert span._best(logits[:2], empty) is None
    example = SpanExample("1", "?", "", ())
    assert span.decode(XQUAD.labels, [example], [empty], [logits[:2]]) == [""]


def squad_file(path: Path, *rows: dict[str, Any], context: str = "Rome, in Rome.") -> Path:
    filled = [{"id": "1", "question": "Where?", "answers": []} | row for row in rows]
    tree = {"data": [{"paragraphs": [{"context": context, "qas": filled}]}]}
    path.write_text(json.dumps(tree))
    return path


def test_a_file_of_questions(tmp_path: Path) -> None:
    def answer(text: str, start: int) -> dict[str, Any]:
        return {"answers": [{"text": text, "answer_start": start}]}

    path = squad_file(
        tmp_path / "q.json", answer("Rome", 9), answer("Rome", 8), answer("Bonn", 0), {"id": "x"}
    )
    found = questions(path, "xquad de", "layout")
    assert [q.id for q in found] == ["1", "1#2", "1#3", "x"]
    placed = [(Answer("Rome", 9),), (Answer("Rome", 9),), (Answer("Bonn", -1),), ()]
    assert [q.answers for q in found] == placed
    tree = json.loads(path.read_text())["data"]
    path.write_text(json.dumps(tree))  # as XTREME's scorer, without the outer key too
    assert questions(path, "xquad de", "layout") == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [{}]}', "not SQuAD's layout: KeyError 'paragraphs' in question 0"),
        ('{"data": {}}', "no questions"),
        ("3", "not SQuAD's layout"),
        ('{"data":\n[', r"q\.json:2: not JSON"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "q.json").write_text(content)
    with pytest.raises(MalformedRowError, match=message):
        questions(tmp_path / "q.json", "xquad de", "layout")


def test_a_language_without_a_file_says_where_it_would_be(tmp_path: Path) -> None:
    source = DataSource("xtreme", tmp_path)
    with pytest.raises(DataError, match=r"xquad de, test split: there is no .*xquad\.de\.json"):
        XQUAD.load(source, "test", "de")
    with pytest.raises(DataError, match=r"xquad de, train split: there is none; layout: squad"):
        XQUAD.load(source, "train", "de")


def test_the_loss_of_two_ends_ignores_padding() -> None:
    logits = torch.zeros(1, 4, 2)
    logits[0, 3] = 50.0
    batch = {
        "attention_mask": torch.tensor([[1, 1, 1, 0]]),
        "start_positions": torch.tensor([1]),
        "end_positions": torch.tensor([2]),
    }
    assert ends_loss(logits, batch) == pytest.approx(np.log(3), abs=1e-5)


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of spans, trained for some steps."""
    here = tmp_path_factory.mktemp("spans")
    quick = options(method="full", max_steps=30, max_length=64, max_examples=300)
    train_tasks(tiny_base, [XQUAD], EMBEDDED, quick, work=here / "work", out=here / "out")
    return here / "out"


def test_training_targets_are_the_answers(tiny_base: Path) -> None:
    rows: Any = load_rows(XQUAD, EMBEDDED, tiny_base, 64, max_examples=30)
    tokenizer, examples = tokenization.load(tiny_base), embedded.qa("train", "en")[:30]
    windows = span.encode(tokenizer, examples, 64)
    held = 0
    for window, target in zip(windows, rows.targets, strict=True):
        assert isinstance(target, tuple)
        example = examples[window.example]
        if target == (0, 0):
            continue
        held += 1
        first, last = window.spans[target[0]][0], window.spans[target[1]][1]
        assert squad(example.context[first:last]) == squad(example.answers[0].text)
    assert held >= len(examples)


def test_a_model_of_spans_is_scored_and_exported(trained: Path, tmp_path: Path) -> None:
    model = open_model(trained)
    assert model.labels == ("start", "end")
    probe = Probe(XQUAD, EMBEDDED, 4)
    result, _ = export(trained, tmp_path / "bundle", precision="fp32", probe=probe)
    assert result is not None and result.agreement == 100 and result.maximum < 1e-3
    results = []
    for directory in (trained, tmp_path / "bundle"):
        found = evaluate(
            open_model(directory),
            XQUAD,
            EMBEDDED,
            label="it",
            out=tmp_path / directory.name,
            options=EvaluationOptions(languages=("en", "zh"), max_examples=30),
        )
        results.append(found.metrics)
        said = files.read(tmp_path / directory.name, "xquad", "zh")
        assert list(said) == [f"test-zh-{n}" for n in range(30)]
    assert results[0] == results[1]
    line = "Where does Maria live?\tMaria lives in Berlin."
    (said,) = predict_lines(trained, [line])
    assert list(predict_lines(tmp_path / "bundle", [line])) == [said]
    assert said["answer"] and said["answer"] in line.split("\t")[1]
    with pytest.raises(MalformedRowError, match="input:1: 1 column"):
        list(predict_lines(trained, ["Where?"]))
    script = [
        sys.executable,
        "-c",
        EXPORTERS.get("onnxruntime").example(bundle_card("span", "int8")),
    ]
    child = subprocess.run(script, cwd=tmp_path / "bundle", capture_output=True, text=True)
    assert child.stdout.split(" Where")[0] == said["answer"], child.stderr
    assert set(results[0]) == {"exact_match", "answer_f1"}


def test_padding_is_out_of_reach_of_both_ends() -> None:
    logits = torch.zeros(1, 3, 2)
    logits[0, 2] = 50.0
    scores = over_tokens(logits, torch.tensor([[1, 1, 0]]))
    assert scores.shape == (1, 2, 3)
    assert torch.softmax(scores, -1)[0, 0].tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_a_student_of_spans_comes_nearer_to_its_teacher(trained: Path, tmp_path: Path) -> None:
    terms = distillation(
        multilingual=0.3, max_steps=40, settings=Settings(2e-3, seed=1, compute="fp32")
    )
    work, out, start = tmp_path / "work", tmp_path / "out", tmp_path / "start"
    _, facts = distill(trained, [XQUAD], EMBEDDED, terms, work=work, out=out)
    assert facts["layers"] == "1 of 2" and open_model(out).labels == ("start", "end")
    cut(load_checkpoint(trained), [1]).save_pretrained(start)
    copy_tokenizer(trained, start)
    session = Session(open_model(trained))
    probe = Probe(XQUAD, EMBEDDED, 6).sequences(session.tokenizer, 64)["en"]

    def distance(directory: Path) -> float:
        """Between the shares that teacher and student give the tokens."""
        both = [Session(open_model(d)).run(probe, "logits") for d in (trained, directory)]
        shares = [[torch.softmax(torch.from_numpy(row), 0) for row in rows] for rows in both]
        return float(np.mean([(a - b).abs().mean() for a, b in zip(*shares, strict=True)]))

    assert distance(out) < 0.7 * distance(start)


def test_several_tasks_with_spans_among_them(tiny_base: Path, tmp_path: Path) -> None:
    both = [XQUAD, TASKS.get("xnli")]
    quick = options(method="full", max_steps=12, max_length=64)
    train_tasks(tiny_base, both, EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    heads = load_file(tmp_path / "o" / "heads.safetensors")
    assert heads["xquad.whole.qa_outputs.weight"].shape == (2, 64)
    assert heads["xquad.whole.qa_outputs.bias"].abs().min() > 0


@pytest.mark.data
@pytest.mark.parametrize("name", ["xquad", "mlqa", "tydiqa"])
def test_real_answers_survive_windowing(name: str, xtreme_dir: Path, tiny_base: Path) -> None:
    """Every gold answer is held whole by a window, and found again as its tokens allow."""
    task, source = TASKS.get(name), DataSource("xtreme", xtreme_dir)
    tokenizer = tokenization.load(tiny_base)
    split = {"xquad": "test", "mlqa": "dev", "tydiqa": "train"}[name]
    for language in task.available(source, split)[:6]:  # type: ignore[arg-type]
        examples = task.load(source, split, language)[:150]  # type: ignore[arg-type]
        assert all(example.answers[0].start >= 0 for example in examples)  # type: ignore[union-attr]
        windows = span.encode(tokenizer, examples, 512)  # type: ignore[arg-type]
        held = {w.example for w in windows if span.target(examples[w.example], w)}  # type: ignore[arg-type]
        assert len(held) >= 0.99 * len(examples)


def test_an_adapter_of_spans_is_fused(tiny_base: Path, tmp_path: Path) -> None:
    quick = options(max_length=64)
    train_tasks(tiny_base, [XQUAD], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "adapter")
    fuse(tmp_path / "adapter", XQUAD, tmp_path / "fused")
    assert open_model(tmp_path / "fused").labels == ("start", "end")
