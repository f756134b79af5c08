"""Perfect predictors score 100 and constant ones what arithmetic says, on every task and language.

They stand in for the model in `evaluate`, so that all of the way from rows to scores, intervals and
prediction files is gone; what is expected is counted from the gold rows alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import guesses
import numpy as np
import pytest
from all_tasks import TARGET
from report_fakes import a_model

from evalsuite import evaluate as module
from evalsuite import evaluation, scoring
from evalsuite.data.embedded import generate as embedded
from evalsuite.data.mining import MiningTask
from evalsuite.data.ranking import RankingTask
from evalsuite.evaluation import EvaluationOptions
from evalsuite.formats import span
from evalsuite.registry import TASKS
from evalsuite.retrieval.embedding import Embedder
from evalsuite.submission import files
from evalsuite.task import DataSource

EMBEDDED = DataSource("embedded")
EVERY_TASK = [pytest.param(TASKS.get(name), id=name) for name in TARGET]
EACH = [
    pytest.param(TASKS.get(name), language, id=f"{name} {language}")
    for name in TARGET
    for language in TASKS.get(name).available(EMBEDDED, "test")
]


def test_every_task_and_language_is_here() -> None:
    pairs = len(embedded.LANGUAGES) - 1  # those that have English on the other side
    assert len(TARGET) == 12
    assert len(EACH) == 10 * len(embedded.LANGUAGES) + 2 * pairs == 142


class Stub:
    """A model that is asked for nothing but what it is."""

    layers, threads, device, answers = 1, 1, "cpu", "label"
    directory = Path("stub")  # declares nothing

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels

    def describe(self, label: str) -> Any:
        return a_model(label)


def scored(
    monkeypatch: pytest.MonkeyPatch,
    out: Path,
    task: Any,
    language: str,
    predict: Any,
    embed: Any,
) -> Any:
    """`evaluate`, with what a head says (`predict(examples)`) and what sentences are as vectors."""

    class Given(Embedder):
        """Vectors as the test gives them."""

        def __call__(
            self, sentences: Any, longest: int | None = None, *, passages: bool = False
        ) -> Any:
            return embed(sentences, longest)

    class Session:
        def __init__(self, predictor: Any) -> None:
            self.predictor = predictor

        def calibrated(self, task: Any, language: str, examples: Any) -> Any:
            return predict(examples), {}

        def encode(self, format: str, examples: Any) -> list[Any]:
            return []

        def run(self, encoded: Any, output: str) -> list[Any]:
            return []

    monkeypatch.setattr(span, "decode", lambda labels, examples, *ran: predict(examples))
    monkeypatch.setattr(module, "Session", Session)
    monkeypatch.setattr(evaluation, "Embedder", Given)
    stub: Any = Stub(task.labels)
    return module.evaluate(
        stub, task, EMBEDDED, label="it", out=out, options=EvaluationOptions(languages=(language,))
    )


class Oracle:
    """Sentences that belong together point the same way, and no other two do."""

    def __init__(self, task: Any, language: str) -> None:
        self.meanings: dict[str, list[int]] = {}
        for split in ("dev", "test"):
            if split in ("test", getattr(task, "fitted_on", "test")):
                self._add(task, split, language)

    def _add(self, task: Any, split: Any, language: str) -> None:
        rows, meanings = task.load(EMBEDDED, split, language), self.meanings
        if isinstance(task, RankingTask):
            pool = list(task.candidates(EMBEDDED, split))
            number = {candidate.id: n for n, candidate in enumerate(pool)}
            meanings |= {candidate.text: [number[candidate.id]] for candidate in pool}
            meanings |= {row.query: [number[id] for id in row.relevant] for row in rows}
            return
        start = 1 + max((max(known) for known in meanings.values()), default=0)
        if isinstance(task, MiningTask):
            pool = list(task.candidates(EMBEDDED, split, language))
            number = {candidate.id: n for n, candidate in enumerate(pool, start)}
            meanings |= {candidate.text: [number[candidate.id]] for candidate in pool}
            start += len(pool)
            for n, row in enumerate(rows, start):
                meanings[row.foreign] = [number[id] for id in row.partners] or [n]
            return
        for n, row in enumerate(rows):
            meanings[row.foreign] = meanings[row.english] = [n]

    def __call__(
        self, sentences: Sequence[str], longest: int | None = None, *, passages: bool = False
    ) -> np.ndarray:
        width = 1 + max(max(known) for known in self.meanings.values())
        vectors = np.zeros((len(sentences), width), dtype=np.float32)
        for vector, sentence in zip(vectors, sentences, strict=True):
            vector[self.meanings[sentence]] = 1
        return vectors


@pytest.mark.parametrize(("task", "language"), EACH)
@pytest.mark.slow
def test_a_perfect_predictor_scores_100(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: Any, language: str
) -> None:
    embed = Oracle(task, language) if task.by_embedding else None

    def predict(examples: Any) -> Any:
        return guesses.right(task, examples)

    found = scored(monkeypatch, tmp_path, task, language, predict, embed)
    for metric, by_language in found.metrics.items():
        assert by_language == {language: pytest.approx(100)}, metric
    assert found.intervals == {language: pytest.approx((100, 100))}
    assert 0 <= found.chance[language] < 100
    assert found.split == task.eval_split(EMBEDDED)
    rows = task.load(EMBEDDED, found.split, language)
    said = files.read(tmp_path, task.name, language, found.split)
    assert len(said) == sum(bool(getattr(row, "partners", True)) for row in rows)


# Constant predictions: what each scores, counted otherwise than the metrics count.


def share(gold: Sequence[Any], constant: Any) -> float:
    return 100 * Counter(gold)[constant] / len(gold)


def one_tag(rows: Sequence[Any], constant: str) -> float:
    """Chunk F1 of one tag for every word, of rows in IOB2 or of parts of speech."""
    found = predicted = there = 0
    for row in rows:
        tags = row.tags
        if constant == "O" or constant[1] == "-":  # IOB2
            starts = [n for n, tag in enumerate(tags) if tag[0] == "B"]
            ends = [after(tags, n) for n in starts]
            gold = {(tags[n][2:], n, m) for n, m in zip(starts, ends, strict=True)}
        else:  # neighbours of one tag are one chunk
            assert not {tag[0] for tag in tags} & set("BIESOX")
            runs = [(tag, len(list(run))) for tag, run in groupby(tags)]
            places = [sum(n for _, n in runs[:k]) for k in range(len(runs))]
            gold = {(tag, at, at + n) for (tag, n), at in zip(runs, places, strict=True)}
        said = {
            "O": set(),
            "B": {(constant[2:], n, n + 1) for n in range(len(tags))},
        }.get(constant[0], {(constant.removeprefix("I-"), 0, len(tags))})
        found, predicted, there = found + len(gold & said), predicted + len(said), there + len(gold)
    return 200 * found / (predicted + there)


def after(tags: Sequence[str], start: int) -> int:
    """The first word that is not in the entity any more."""
    return next((n for n in range(start + 1, len(tags)) if tags[n][0] != "I"), len(tags))


def one_answer(rows: Sequence[Any], language: str, by_letter: bool) -> tuple[str, float]:
    """An answer that shares no word with any other one, and how often it is right."""
    given = Counter(row.answers[0].text.lower() for row in rows)

    def words(answer: str) -> set[str]:
        return set(answer if by_letter else answer.split())

    alone = [a for a in given if not any(words(a) & words(b) for b in given if b != a)]
    answer = max(alone, key=given.__getitem__)
    return answer, 100 * given[answer] / len(rows)


def first_twenty(rows: Sequence[Any], ids: Sequence[str]) -> float:
    """Average precision of one ranking for every query."""
    precisions = []
    for row in rows:
        hits = np.isin(ids[:20], row.relevant)
        at_rank = hits.cumsum() / np.arange(1, len(hits) + 1)
        precisions.append((at_rank * hits).sum() / min(20, len(row.relevant)))
    return 100 * float(np.mean(precisions))


def constants(task: Any, language: str, rows: Any) -> list[tuple[Any, float]]:
    """Constant predictions (None: all sentences are one vector), and what each is to score."""
    if task.format in ("pair", "choice"):
        gold = [row.label for row in rows]
        return [(label, share(gold, label)) for label in sorted(set(gold))]
    if task.format == "tagging":
        tags = ("O", "B-PER", "I-LOC") if task.name == "panx" else ("NOUN", "PROPN")
        return [(tag, one_tag(rows, tag)) for tag in tags]
    if task.format == "span":
        by_letter = task.name == "mlqa" and language == "zh"
        return [one_answer(rows, language, by_letter)]
    if task.format == "retrieval":
        return [(None, 100 / len(rows))]
    if isinstance(task, RankingTask):
        ids = [candidate.id for candidate in task.candidates(EMBEDDED, "test")]
        return [(None, first_twenty(rows, ids))]
    # One pair is left, the first of each side: every other shares a sentence with it.
    first = next(iter(task.candidates(EMBEDDED, "test", language))).id
    there = sum(len(row.partners) for row in rows)
    return [(None, 200 * (first in rows[0].partners) / (1 + there))]


@pytest.mark.parametrize(("task", "language"), EACH)
@pytest.mark.slow
def test_a_constant_predictor_scores_what_arithmetic_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: Any, language: str
) -> None:
    rows = task.load(EMBEDDED, task.eval_split(EMBEDDED), language)
    expected = constants(task, language, rows)
    for constant, score in expected:

        def predict(examples: Any, constant: Any = constant) -> Any:
            if task.format == "tagging":
                return [[constant] * len(example.words) for example in examples]
            return [constant] * len(examples)

        def embed(sentences: Any, longest: int | None = None) -> Any:
            return np.ones((len(sentences), 1), dtype=np.float32)

        found = scored(monkeypatch, tmp_path, task, language, predict, embed)
        assert found.metrics[task.metric] == {language: pytest.approx(score)}
        if task.format == "tagging":
            flat = [tag for row in rows for tag in row.tags]
            assert found.metrics["token_accuracy"][language] == pytest.approx(share(flat, constant))
        if not task.by_embedding:  # a guesser takes the best constant
            assert score <= found.chance[language] + 1e-9
    if task.format in ("pair", "choice"):
        assert sum(score for _, score in expected) == pytest.approx(100)


# Properties every main metric has.


def score_of(task: Any, examples: Any, said: Any) -> dict[str, float]:
    return scoring.score(scoring.answers(task, "de", examples, said))


@pytest.mark.parametrize("task", EVERY_TASK)
def test_the_order_of_rows_changes_nothing(task: Any) -> None:
    examples = list(task.load(EMBEDDED, "test", "de")[:60])
    said = guesses.mixed(task, examples)
    order = list(range(len(examples)))
    random.Random(2).shuffle(order)
    moved = [said[row] for row in order]
    if task.format == "retrieval":  # predictions are numbers of rows
        moved = [order.index(found) for found in moved]
    before = score_of(task, examples, said)
    assert 0 < before[task.metric] < 100
    assert score_of(task, [examples[row] for row in order], moved) == pytest.approx(before)


@pytest.mark.parametrize("task", EVERY_TASK)
def test_every_row_twice_changes_nothing(task: Any) -> None:
    examples = list(task.load(EMBEDDED, "test", "de")[:60])
    said = guesses.mixed(task, examples)
    again = [row + len(said) for row in said] if task.format == "retrieval" else said
    assert score_of(task, examples * 2, said + again) == pytest.approx(
        score_of(task, examples, said)
    )


@pytest.mark.parametrize("task", EVERY_TASK)
def test_predictions_of_nothing_score_0_and_none_are_refused(task: Any) -> None:
    examples = list(task.load(EMBEDDED, "test", "de")[:60])
    said = guesses.nothing(task, examples)
    if task.name != "udpos":  # where every tag is a chunk, there is none that says nothing
        assert score_of(task, examples, said)[task.metric] == 0
    for few in ([], said[:-1]):
        with pytest.raises(ValueError, match=r"\d+ .*for \d+|shorter|rankings of|predict"):
            score_of(task, examples, few)
    with pytest.raises(ValueError, match=r"no \w+ to|no questions|0 rankings of 0"):
        score_of(task, [], [])
