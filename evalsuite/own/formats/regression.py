"""A sentence, or two, and a score: how similar they are, how many stars a review gives."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from evalsuite.own.formats import _texts
from evalsuite.own.row import Row
from evalsuite.task import SCORE, ScoreExample

FORMAT, METRIC = "regression", "spearman"
ROLES = (
    {"text": "text", "score": "score"},
    {"first": "first", "second": "second", "score": "score"},
)
GOLD, LISTS = ("score",), ()
NOUN = "a sentence, or two (first and second), and a score"
# As German and French spreadsheets write it; 1,234 may be a thousand too, and is refused.
_DECIMAL_COMMA = re.compile(r"(\s*[-+]?\d+),(\d{1,2}\s*|\d{4,}\s*)")
FIXED = SCORE  # what its models give; the recipe has no labels


def example(row: Row, id: str, labels: Sequence[str]) -> ScoreExample:
    """The texts, and their score where the file has scores."""
    return ScoreExample(id, *_texts.of(row), _score(row))


def _score(row: Row) -> float | None:
    """The number; None where the file has no scores.

    Raises:
        MalformedRowError: the field is empty, no number, or not finite.
    """
    if (written := row.parts.get("score")) is None:
        return None
    if not written.strip():
        raise row.error("no score")
    try:
        comma = _DECIMAL_COMMA.fullmatch(written)
        score = float(".".join(comma.groups()) if comma else written)
    except ValueError:
        point = "; decimals have a point" if "," in written else ""
        raise row.error(f"the score {written.strip()!r} is not a number{point}") from None
    if not math.isfinite(score):
        raise row.error(f"the score {written.strip()!r} is not finite")
    return score
