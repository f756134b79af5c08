"""Rows of a pinned data set of the Hugging Face hub.

>>> next(rows(HubSource("facebook/xnli", "b8dd5d7a..."), "sw", "validation"))
{'premise': ..., 'hypothesis': ..., 'label': 'neutral'}

Read with `datasets`, which caches under HF_HOME and runs no script of the data set's own. A commit
does not change: what is cached of it is read without asking the hub. Where the hub cannot be asked,
`datasets` takes whatever commit it has; here that is refused.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError, OfflineError
from evalsuite.hub.intact import refuse_damaged
from evalsuite.hub.refusals import Asked
from evalsuite.task import HubSource

Row = dict[str, Any]
XTREME = HubSource("google/xtreme", "ec5f1f46e9af79639a90684a7a70a956c4998f04")
_WITHOUT_NETWORK = (
    "without a network, do one of these:\n"
    "  set `source: xtreme` and pass --data-dir, a directory the XTREME scripts filled\n"
    "  set `source: embedded`, the small built-in suite\n"
    "  set HF_HOME to a cache that was filled on another machine"
)


def rows(source: HubSource, config: str, split: str) -> Iterator[Row]:
    """All rows of one configuration and split, class ids replaced by the data set's own names.

    A class id outside the names (-1, "no gold label") becomes None.

    Raises:
        OfflineError: the cache does not hold the rows, and the hub does not answer to the end.
        DataError: the hub has no such data set, revision, configuration or split, does not give
            it, or it came damaged.
    """
    data = _read(source, config, split)
    names = _class_names(data.features)
    for row in data:
        yield {
            key: _named(value, names[key]) if key in names else value for key, value in row.items()
        }


def _read(source: HubSource, config: str, split: str) -> Any:
    asked = Asked(source.repo, "dataset", source.revision)
    try:
        if folder := _prepared(source, config):
            return _reopened(source, folder, split)
        return _downloaded(asked, config, split)
    except DataError:
        raise
    except ValueError as error:  # how `datasets` says: no such config, no such split
        reason = str(error).strip().split("\n", 1)[0]
        raise DataError(
            f"the {asked} has no rows in config {config}, split {split}: {reason}"
        ) from error
    except Exception as error:  # a dozen types of four libraries, all meaning: no rows to be had
        problem = asked.problem(error)
        if isinstance(problem, OfflineError):
            raise OfflineError(f"{problem}\n{_WITHOUT_NETWORK}") from error
        raise problem from error


def _prepared(source: HubSource, config: str) -> Path | None:
    """Where the cache of `datasets` has this configuration of this very commit."""
    from datasets import config as settings
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = source.repo.rpartition("/")
    folder = Path(settings.HF_DATASETS_CACHE).expanduser()
    folder /= f"{owner}___{camelcase_to_snakecase(name)}"
    found = sorted((folder / config).glob(f"*/{source.revision}/dataset_info.json"))
    return found[-1].parent if found else None


def _reopened(source: HubSource, folder: Path, split: str) -> Any:
    from datasets.packaged_modules.cache.cache import Cache

    builder = Cache(
        dataset_name=source.repo.rpartition("/")[2],
        repo_id=source.repo,
        config_name=folder.parent.parent.name,
        version=folder.parent.name,
        hash=folder.name,
    )
    builder.download_and_prepare()
    return builder.as_dataset(split=split)


def _downloaded(asked: Asked, config: str, split: str) -> Any:
    """Ask the hub; rows of another commit, which `datasets` gives where it cannot, are refused."""
    from datasets import load_dataset

    began = time.time()
    data = load_dataset(asked.repo, config, split=split, revision=asked.revision)
    folder = Path(data.cache_files[0]["filename"]).parent
    if folder.name != asked.revision:
        raise LookupError(f"the cache has commit {folder.name[:12]}, which was not asked for")
    try:
        refuse_damaged(asked, began)
    except DataError:
        shutil.rmtree(folder)
        raise
    return data


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
