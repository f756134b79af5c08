"""Rows of a pinned data set of the Hugging Face hub.

>>> next(rows(HubSource("facebook/xnli", "b8dd5d7a..."), "sw", "validation"))
{'premise': ..., 'hypothesis': ..., 'label': 'neutral'}

Read with `datasets`, which caches under HF_HOME and runs no script of the data set's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from evalsuite.errors import DataError, OfflineError
from evalsuite.task import HubSource

Row = dict[str, Any]
XTREME = HubSource("google/xtreme", "ec5f1f46e9af79639a90684a7a70a956c4998f04")


def rows(source: HubSource, config: str, split: str) -> Iterator[Row]:
    """All rows of one configuration and split, class ids replaced by the data set's own names.

    A class id outside the names (-1, "no gold label") becomes None.

    Raises:
        OfflineError: the hub cannot be reached and the cache does not hold the rows.
        DataError: the data set has no such configuration or split.
    """
    from datasets import load_dataset

    where = f"{source.repo} (config {config}, split {split}, revision {source.revision[:12]})"
    try:
        data = load_dataset(source.repo, config, split=split, revision=source.revision)
    except ValueError as error:  # how `datasets` says: no such config, no such split
        raise DataError(f"the Hugging Face hub has no {where}: {error}") from error
    except Exception as error:  # a dozen types of four libraries, all meaning: no rows to be had
        reason = str(error).strip().split("\n", 1)[0]
        raise OfflineError(
            f"cannot read {where} from the Hugging Face hub: {type(error).__name__}: {reason}\n"
            + ("HF_HUB_OFFLINE is set, so only the cache was tried\n" if _offline() else "")
            + "without a network, do one of these:\n"
            "  set `source: xtreme` and pass --data-dir, a directory the XTREME scripts filled\n"
            "  set `source: embedded`, the small built-in suite\n"
            "  set HF_HOME to a cache that was filled on another machine"
        ) from error
    names = _class_names(data.features)
    for row in data:
        yield {
            key: _named(value, names[key]) if key in names else value for key, value in row.items()
        }


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _class_names(features: Any) -> dict[str, list[str]]:
    """Column -> names, for columns of class ids and of lists of class ids."""
    found = {}
    for column, feature in features.items():
        inner = getattr(feature, "feature", feature)
        if names := getattr(inner, "names", None):
            found[column] = list(names)
    return found


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
