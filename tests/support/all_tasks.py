"""All tasks, target and intermediate, and the row type of each format."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.registry import TASKS
from evalsuite.task import (
    ChoiceExample,
    MiningExample,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
    TagExample,
    Task,
)
from transfer.registry import INTERMEDIATE_TASKS

TARGET = (
    *("bucc2018", "lareqa", "mewslix", "mlqa", "panx", "pawsx", "tatoeba"),
    *("tydiqa", "udpos", "xcopa", "xnli", "xquad"),
)
INTERMEDIATE = (
    *("anliplus", "ccg", "commonsenseqa", "cosmosqa", "hellaswag", "mnli", "qqp", "rte"),
    *("siqa", "snli", "squad", "squad2"),
)
NOT_EMBEDDED = tuple(name for name in INTERMEDIATE if name != "mnli")
NO_HUB = ("bucc2018", "ccg", "lareqa", "mewslix")  # no full copy there
ALL = [TASKS.get(name) for name in TARGET] + [INTERMEDIATE_TASKS.get(name) for name in INTERMEDIATE]
KIND = {
    "pair": PairExample,
    "tagging": TagExample,
    "span": SpanExample,
    "choice": ChoiceExample,
    "ranking": QueryExample,
    "mining": MiningExample,
    "retrieval": ParallelExample,
}


def every(test: Any) -> Any:
    return pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)(test)


def find(name: str) -> Task:
    return next(task for task in ALL if task.name == name)
