"""Rows of declared tasks that no stage could read, found before any stage runs.

>>> faulty_rows(DataNeed("topics", "test", ("de",)), DataSource("files"))
["test-de.csv:3: unknown label 'spam'; allowed: sports, weather"]
"""

from __future__ import annotations

from functools import lru_cache

from evalsuite.errors import DataError
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource, Split
from recipes.stages._shared.contract import DataNeed
from transfer.find_task import find_task

MOST_BYTES = 10_000_000  # of a language's files; of larger ones the first row alone is read


def faulty_rows(need: DataNeed, source: DataSource) -> list[str]:
    """The first mistake in the rows of each language, where their files are not large."""
    if need.split == "parallel" or need.split == "held out" or need.split == "file":
        return []
    task = find_task(need.task)
    if not isinstance(task, OwnTask) or task.kind_of_source(source) != "files":
        return []
    split = task.eval_split(source) if need.split == "eval" else need.split
    found = []
    for language in need.languages or task.readable(source, split):
        files = [path.stat() for path in task.files(source, split, language)]
        if sum(file.st_size for file in files) <= MOST_BYTES:
            state = tuple((file.st_size, file.st_mtime_ns) for file in files)
            found.append(_problem(task, split, language, state))
    return [problem for problem in found if problem]


@lru_cache(maxsize=1024)
def _problem(task: OwnTask, split: Split, language: str, state: tuple[tuple[int, int], ...]) -> str:
    """Once per state of the files: a search plans many times."""
    try:
        task.load(DataSource("files"), split, language)
    except DataError as error:
        return str(error)
    return ""
