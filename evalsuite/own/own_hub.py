"""A declared task whose rows come from a data set of the hub at one commit.

>>> declaration = Declaration(format="classification", hub="org/name@5f0c...", labels=("a", "b"),
...                           test={"sw": "swh_Latn"})
>>> OwnHub("topics", declaration).load(DataSource("files"), "test", "sw")[0]
PairExample(id='test-sw-1', first='Mvua inanyesha.', second=None, label='a')

Nothing is read before the run: the recipe lists the labels. A row that does not fit is an error
that names the configuration, the split and the number of the row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evalsuite.data import hub, left_out
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.own.declaration import Declaration
from evalsuite.own.hub_places import PINNED
from evalsuite.own.own_task import OwnTask
from evalsuite.own.records import Column, Record, as_text
from evalsuite.own.row import Row
from evalsuite.task import DataSource, Example, HubSource, SourceKind, Split, TagExample


class OwnHub(OwnTask):
    """Languages are configurations of the data set; every column is read by its name."""

    layout = "the data set of the hub that the recipe names"
    usual_splits: ClassVar[dict[Split, str]] = {
        "train": "train",
        "dev": "validation",
        "test": "test",
    }

    def __init__(self, name: str, declaration: Declaration) -> None:
        super().__init__(name, declaration)
        match = PINNED.fullmatch(declaration.hub or "")
        assert match is not None  # the declaration has been checked
        self.hub = self.source = HubSource(match["repo"], match["commit"])

    def kind_of_source(self, source: DataSource) -> SourceKind:
        """Always the hub."""
        return "hub"

    def first_row_problems(self) -> list[str]:
        """None: the data set is not read before the run."""
        return []

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """There are none."""
        return ()

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages with a configuration."""
        return self._ordered(set(self._places[split]))

    def hub_config(self, language: str, split: Split = "test") -> str:
        """The configuration of a language."""
        return str(self._places[split][language])

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """See `Task.load`."""
        self.require(source, split, language)
        prefix = f"{split}-{language}"
        found: list[Example]
        if self.format == "tagging":
            found = list(self._tagged(split, language))
        else:
            rows = self._rows(split, language)
            found = [self.rules.example(row, f"{prefix}-{row.line}", self.labels) for row in rows]
        if not found:
            raise DataError(f"{self._where(split, language)}: there is no row in it")
        left_out.record(left_out.Rows(self.name, split, language), len(found), {}, always=True)
        return found

    def _where(self, split: Split, language: str) -> Path:
        """How messages name a configuration and split: as a path in the data set."""
        repo, commit = self.source.repo, self.source.revision[:12]
        return Path(f"{repo}@{commit}") / self.hub_config(language, split) / self._split(split)

    def _split(self, split: Split) -> str:
        return self.declaration.splits.get(split, self.usual_splits[split])

    def _read(self, split: Split, language: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows that the hub has, numbered from 1, with all columns that are needed."""
        needed = {
            str(column)
            for role in self.declaration.row_roles
            for column in self.declaration.columns_of(role) or (self._column(role),)
        }
        rows = hub.rows(self.source, self.hub_config(language, split), self._split(split))
        for number, row in enumerate(rows, 1):
            if absent := sorted(needed - set(row)):
                raise MalformedRowError(
                    self._where(split, language),
                    number,
                    f"no column {', '.join(map(repr, absent))}; there are: {', '.join(row)}",
                )
            yield number, row

    def _rows(
        self, split: Split, language: str, skipped: Counter[str] | None = None
    ) -> Iterator[Row]:
        where = self._where(split, language)
        for number, row in self._read(split, language):
            fields: dict[Column, str] = {name: as_text(value) for name, value in row.items()}
            yield self._row(where, Record(number, fields))

    def _tagged(self, split: Split, language: str) -> Iterator[TagExample]:
        """Lists of words and of tags, which the hub has where a file is CoNLL."""
        where, allowed = self._where(split, language), frozenset(self.labels)
        word, tag = self._column("word"), self._column("tag")
        for number, row in self._read(split, language):
            words, written = row[str(word)], row[str(tag)]
            lists = isinstance(words, list) and isinstance(written, list)
            if not lists or len(words) != len(written) or not words:
                problem = f"{word} and {tag} are not two lists of one length"
                raise MalformedRowError(where, number, problem)
            tags = tuple(self.declaration.spelling(as_text(each)) for each in written)
            if unknown := [each for each in tags if each not in allowed]:
                problem = f"unknown tag {unknown[0]!r}; allowed: {' '.join(self.labels)}"
                raise MalformedRowError(where, number, problem)
            yield TagExample(f"{split}-{language}-{number}", tuple(map(str, words)), tags)
