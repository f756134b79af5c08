"""Rows of declared tasks that no stage could read, found before any stage runs.

>>> FaultyRows(DataSource("files"), DigestMemo()).of(DataNeed("topics", "test", ("de",)))
["test-de.csv:3: unknown label 'spam'; allowed: sports, weather"]

Rows that are sound are noted in the memo, so they are read once for many plans.
"""

from __future__ import annotations

from evalsuite.errors import DataError
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource, Split
from recipes.hashing import DigestMemo, sha256_json
from recipes.stages._shared.contract import DataNeed
from transfer.find_task import find_task

MOST_BYTES = 10_000_000  # of a language's files; of larger ones the first row alone is read
MOST_IN_ALL = 20_000_000  # of all files of a plan, known ones too; of others the first row alone


class FaultyRows:
    """Reads the rows that a plan needs, each language's once, until there are too many."""

    def __init__(self, source: DataSource, memo: DigestMemo) -> None:
        self.source, self.memo = source, memo
        self.left = MOST_IN_ALL
        self.seen: set[tuple[str, Split, str]] = set()

    def of(self, need: DataNeed) -> list[str]:
        """The first mistake in the rows of each language, where their files are not large."""
        if need.split == "parallel" or need.split == "held out" or need.split == "file":
            return []
        task = find_task(need.task)
        if not isinstance(task, OwnTask) or task.kind_of_source(self.source) != "files":
            return []
        split = task.eval_split(self.source) if need.split == "eval" else need.split
        every = task.available if need.labelled else task.readable
        languages = need.languages or every(self.source, split)
        found = [self._problem(task, split, language) for language in languages]
        return [problem for problem in found if problem]

    def _problem(self, task: OwnTask, split: Split, language: str) -> str:
        """What is wrong with a language's rows; empty where nothing is, or they are too many."""
        if (task.name, split, language) in self.seen:
            return ""
        self.seen.add((task.name, split, language))
        files = task.files(self.source, split, language)
        size = sum(path.stat().st_size for path in files)
        if size > min(MOST_BYTES, self.left):
            return ""
        self.left -= size
        digests = [self.memo.file(path) for path in files]
        declaration = task.declaration.model_dump(mode="json")
        what = sha256_json([declaration, task.labels, split, language, digests])
        if self.memo.is_sound(what):
            return ""
        try:
            task.load(self.source, split, language)
        except DataError as error:
            return str(error)
        self.memo.note_sound(what)
        return ""
