"""Predictions for rows of any task: right ones, and some of which are right."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any


def right(task: Any, examples: Sequence[Any]) -> list[Any]:
    """What a perfect model says."""
    if task.format == "retrieval":
        return list(range(len(examples)))
    say: Any = {
        "pair": lambda e: e.label,
        "tagging": lambda e: list(e.tags),
        "span": lambda e: e.answers[0].text,
        "choice": lambda e: e.label,
        "ranking": lambda e: list(e.relevant),
        "mining": lambda e: next(iter(e.partners), None),
    }[task.format]
    return [say(example) for example in examples]


def mixed(task: Any, examples: Sequence[Any]) -> list[Any]:
    """About half of them right."""
    rng = random.Random(1)
    if task.format == "retrieval":
        return [rng.choice((row, 0)) for row in range(len(examples))]
    other: Any = {
        "pair": lambda e: task.labels[0],
        "tagging": lambda e: [rng.choice(task.labels) for _ in e.words],
        "span": lambda e: e.context[:20],
        "choice": lambda e: 0,
        "ranking": lambda e: ["none", *e.relevant[:1]],
        "mining": lambda e: rng.choice(("none", None)),
    }[task.format]
    said = zip(right(task, examples), examples, strict=True)
    return [known if rng.random() < 0.5 else other(example) for known, example in said]


def nothing(task: Any, examples: Sequence[Any]) -> list[Any]:
    """A prediction a row that says nothing."""
    empty: Any = {"pair": "", "span": "", "choice": -1, "retrieval": -1, "mining": None}
    if task.format == "tagging":
        return [[task.labels[0]] * len(example.words) for example in examples]
    return [[] if task.format == "ranking" else empty[task.format] for _ in examples]
