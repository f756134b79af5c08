"""Intermediate tasks: trained, scored, with supertags and questions without an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import published
import pytest
from quick import options
from safetensors.torch import load_file

from compress.fuse.fuse import fuse
from evalsuite import scoring, tokenization
from evalsuite.agreement.predictions import Reference
from evalsuite.data.answer_forms import squad
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import span
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.metric import Answers
from evalsuite.metrics.answer_f1 import answer_f1, answer_scores
from evalsuite.registry import METRICS
from evalsuite.submission import files as submission
from evalsuite.task import (
    Answer,
    DataSource,
    OptionalSpanExample,
    SpanExample,
)
from recipes.stages._shared.contract import Artifact
from recipes.stages._shared.training_keys import probed
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.fit import Settings
from transfer.registry import INTERMEDIATE_TASKS
from transfer.supervised.train_tasks import train_tasks

every = pytest.mark.parametrize("name", published.NAMES)


def test_the_official_scores_of_questions_without_an_answer() -> None:
    gold = [[""], [""], ["the Rhine", "Rhine"], ["Rhine"]]
    said = ["", "Rhine", "Rhine", ""]
    assert answer_scores(gold, said, squad) == {"exact_match": 50, "answer_f1": 50}
    assert answer_f1([""], "the", squad) == 1  # nothing is left of it
    assert answer_f1(["the"], "a", squad) == 0  # SQuAD 1.1: no token is shared
    no_answer = [OptionalSpanExample(str(n), "q", "c", (Answer("", -1),)) for n in range(3)]
    task = INTERMEDIATE_TASKS.get("squad2")
    assert scoring.chance(scoring.answers(task, "en", no_answer)) == 100


@pytest.mark.parametrize(("null", "answer"), [(5.0, "Rhine"), (7.0, ""), (6.0, "Rhine")])
def test_no_answer_is_said_where_it_scores_higher(null: float, answer: str) -> None:
    spans = [(-1, -1), (-1, -1), (0, 3), (4, 9), (-1, -1)]
    windows = [Encoded(0, [0] * 5, spans=spans), Encoded(0, [0] * 5, spans=spans)]
    logits = np.zeros((5, 2), dtype=np.float32)
    logits[3] = 3  # the second word, as start and end: 6
    logits[0] = null / 2
    other = np.zeros((5, 2), dtype=np.float32)
    other[0] = 50  # the window where no answer scores lowest counts
    rows = [
        make("1", "Which?", "the Rhine", (Answer("Rhine", 4),))
        for make in (OptionalSpanExample, SpanExample)
    ]
    assert span.decode((), rows[:1], windows, [logits, other]) == [answer]
    assert span.decode((), rows[1:], windows, [logits, other]) == ["Rhine"]


def test_no_answer_is_trained_on_as_the_first_token(generated: DataSource, tiny_base: Path) -> None:
    task = INTERMEDIATE_TASKS.get("squad2")
    rows: Any = load_rows(task, generated, tiny_base, 400)
    examples: Any = task.load(generated, "train", "en")
    windows = span.encode(tokenization.load(tiny_base), examples, 400)
    for window, ends in zip(windows, rows.targets, strict=True):
        assert (ends == (0, 0)) == (examples[window.example].answers[0].start < 0)


def test_f1_of_the_positive_label() -> None:
    gold, said = ["1", "0", "1", None, "0"], ["1", "1", "0", "1", "0"]
    task = INTERMEDIATE_TASKS.get("qqp")
    answers = Answers(gold=gold, predicted=said, task=task, language="en")
    assert scoring.score(answers) == {"accuracy": 50, "f1": 50}
    none = Answers(gold=["0"], predicted=["0"], task=task, language="en")
    assert scoring.score(none) == {"accuracy": 100, "f1": 0}
    metric = METRICS.get("f1")
    assert metric.chance and metric.chance(answers) == pytest.approx(100 * 2 / 3)
    assert metric.parts and metric.parts(answers).tolist() == [
        [2, 2],
        [0, 1],
        [0, 1],
        [0, 0],
        [0, 0],
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("rte", "xnli"), ("squad2", "xquad"), ("siqa", "xcopa"), ("ccg", "udpos"), ("mnli", "xnli")],
)
def test_a_head_of_english_alone_is_probed_on_many_languages(name: str, text: str) -> None:
    assert probed(None, Artifact("checkpoint", task=name)).name == text


@every
def test_each_task_is_trained_and_its_dev_split_scored(
    name: str, generated: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(max_length=64, max_examples=16)
    found = train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get(name)],
        generated,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "adapter",
    )
    assert found.summary["head"] == "new"
    task = INTERMEDIATE_TASKS.get(name).labelled(generated)
    fuse(tmp_path / "adapter", task, tmp_path / "fused")
    assert open_model(tmp_path / "fused").labels == task.labels
    said = tmp_path / "said"
    scored = evaluate(
        open_model(tmp_path / "fused"),
        INTERMEDIATE_TASKS.get(name),
        generated,
        label="it",
        out=said,
        options=EvaluationOptions(max_examples=6),
        against=Reference("it", said),
    )
    assert scored.split == "dev" and set(scored.metrics[task.metric]) == {"en"}
    assert scored.comparison and scored.comparison.agreement == {"en": 100.0}
    assert ("f1" in scored.metrics) == (name == "qqp")
    assert "chunk_f1" not in scored.metrics
    assert len(submission.read(said, name, "en", "dev", task.format)) == 6


def test_several_with_supertags_among_them(
    generated: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    three = [INTERMEDIATE_TASKS.get(name) for name in ("ccg", "squad2", "hellaswag")]
    quick = options(method="full", max_steps=6, max_length=64)
    train_tasks(tiny_base, three, generated, quick, work=tmp_path / "w", out=tmp_path / "o")
    heads = load_file(tmp_path / "o" / "heads.safetensors")
    labels = INTERMEDIATE_TASKS.get("ccg").labelled(generated).labels
    assert len(heads["ccg.whole.classifier.bias"]) == len(labels) > 5


def test_a_head_of_other_supertags_is_refused(
    generated: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(method="full", max_examples=16)
    train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get("ccg")],
        generated,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "o",
    )
    other = tmp_path / "other"
    published.write("ccg", other, {"dev": 6})
    with pytest.raises(ModelError, match=r"it predicts unknown, .*; ccg needs unknown$"):
        evaluate(
            open_model(tmp_path / "o"),
            INTERMEDIATE_TASKS.get("ccg"),
            DataSource("xtreme", other),
            label="it",
            out=tmp_path,
        )


def test_learnt_rows_score_above_the_majority(
    generated: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    """Of one format; benchmarks/intermediates.py does all of them."""
    published.write("ccg", tmp_path, {"train": 400, "dev": 40})
    here = DataSource("xtreme", tmp_path)
    quick = options(
        method="full",
        max_steps=60,
        epochs=9,
        max_examples=None,
        batch_size=16,
        settings=Settings(2e-3, seed=1, compute="fp32"),
    )
    train_tasks(
        tiny_base,
        [INTERMEDIATE_TASKS.get("ccg")],
        here,
        quick,
        work=tmp_path / "w",
        out=tmp_path / "o",
    )
    scored = evaluate(
        open_model(tmp_path / "o"), INTERMEDIATE_TASKS.get("ccg"), here, label="it", out=tmp_path
    )
    assert scored.metrics["token_accuracy"]["en"] > scored.chance["en"] + 20
