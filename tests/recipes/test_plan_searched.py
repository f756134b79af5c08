"""`plan` counts what an evaluation searches, next to the rows: how many texts, and how long."""

from __future__ import annotations

from typing import Any

import pytest
from plain_shapes import XLMR
from small_tokenizer import TOKENIZER

from evalsuite import tokenization
from evalsuite.plain_config import plain_config
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import NotKnownAheadError
from recipes.planning.source_text import SourceText
from recipes.stages._shared.planned_model import PlannedModel, speed
from recipes.stages._shared.planned_work import comparing, gate, running_work
from recipes.stages._shared.score_gate import ScoreGateConfig

MODEL = PlannedModel(plain_config(XLMR), tokenizer=TOKENIZER)


class Probing(ScoreGateConfig):
    """A gate that compares too."""

    probe: int = 8


@pytest.fixture(scope="module")
def text() -> SourceText:
    return SourceText(DataSource("embedded"))


@pytest.mark.parametrize(
    ("task", "most", "embedded", "rows"),
    [
        ("lareqa", None, 4320, 720),  # 60 queries in each of 12 languages, and 3,600 candidates
        ("lareqa", 8, 3696, 96),
        ("bucc2018", None, 8800, 2200),  # both sides of 11 languages, of the test and dev rows
        ("bucc2018", 8, 4576, 88),  # 8 rows of each, and the English sides, which are read whole
        ("mewslix", None, 1475, 1440),  # mentions, and 35 entities
        ("tatoeba", None, 4400, 2200),
    ],
)
def test_an_evaluation_embeds_what_is_searched_and_a_comparison_the_rows(
    task: str, most: int | None, embedded: int, rows: int, text: SourceText
) -> None:
    assert text.task(MODEL, task, "eval", None, most, scored=True).total == embedded
    split = TASKS.get(task).eval_split(text.source)
    assert text.task(MODEL, task, split, None, most, scored=True).total == embedded
    assert text.task(MODEL, task, "eval", None, most).total == rows


def test_a_gate_scores_with_what_is_searched_and_compares_without(text: SourceText) -> None:
    task = TASKS.get("lareqa")
    alone, whole = (
        running_work(
            MODEL, text.task(MODEL, "lareqa", "eval", most=8, scored=scored), times=speed(MODEL)
        )
        for scored in (False, True)
    )
    assert comparing([MODEL], task, 8, text) == alone
    keys: dict[str, Any] = {"name": "g", "stage": "export", "score_rows": 8}
    assert gate(ScoreGateConfig(**keys, max_lost=1), [MODEL], task, text) == whole
    assert gate(Probing(**keys), [MODEL], task, text) == alone
    assert gate(Probing(**keys, max_lost=1), [MODEL], task, text) == alone + whole


def test_too_many_texts_are_not_counted(text: SourceText, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipes.planning.source_text._POOL", 3000)
    with pytest.raises(NotKnownAheadError, match="3,000 texts or more are searched"):
        text.task(MODEL, "lareqa", "eval", None, 7, scored=True)


def test_queries_and_candidates_are_cut_where_the_task_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = type(TASKS.get("lareqa"))
    monkeypatch.setattr(task, "query_tokens", 6)
    monkeypatch.setattr(task, "candidate_tokens", 9)
    found = SourceText(DataSource("embedded")).task(MODEL, "lareqa", "eval", ["de"], scored=True)
    assert {part: max(lengths) for part, lengths in found.lengths.items()} == {
        "de": 6,
        "candidates": 9,
    }


class Slow:
    """A tokenizer that takes a second for each text; nothing else takes any time."""

    def __init__(self) -> None:
        self.inner, self.seconds = tokenization.load(TOKENIZER), 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def encode_batch(self, texts: list[str]) -> Any:
        self.seconds += len(texts)
        return self.inner.encode_batch(texts)


def test_the_time_of_tokenizing_is_none_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(SourceText, "_tokenizer", lambda *_: (slow, 0.0))
    text = SourceText(DataSource("embedded"), clock=lambda: slow.seconds)
    found = text.task(MODEL, "lareqa", "eval", None, 8, scored=True)
    assert (found.tokenizing, found.reading) == pytest.approx((3696, 0))
    assert found.seconds == pytest.approx(found.total)
