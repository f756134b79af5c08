"""A declared task of retrieval: queries searched for in one pool of candidates.

>>> declaration = Declaration(format="retrieval", candidates={"en": "answers.tsv"}, ...)
>>> task = OwnRetrieval("faq", declaration)
>>> next(iter(task.candidates(DataSource("files"), "test"))).id
'a-17'
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.own.records import records
from evalsuite.task import Candidate, DataSource, Example, MatchExample, QueryExample, Split


class OwnRetrieval(OwnTask):
    """Queries and candidates, or lines and translations.

    Training rows are a query and one relevant candidate each, those of other splits queries; of
    lines and translations, all rows are both lines.
    """

    by_embedding = True
    query_tokens = 128
    candidate_tokens = 256

    def __init__(self, name: str, declaration: Declaration) -> None:
        self._candidate_files = tuple(declaration.candidate_places().values())
        super().__init__(name, declaration)
        if (self.format == "ranking") != bool(self._candidate_files):
            raise DataError(
                f"task {name}: "
                + (
                    "queries are searched for in candidates; name their files: candidates: {...}"
                    if self.format == "ranking"
                    else "lines and translations have no candidates; leave them out"
                )
            )

    @property
    def learnable(self) -> bool:
        """Passages are matched, there are no labels."""
        return self.trains_on

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """The file of a split and a language, and those of the candidates."""
        own = super().files(source, split, language)
        return (*own, *self._candidate_files) if own else ()

    def candidates(self, source: DataSource, split: Split) -> Iterator[Candidate]:
        """The whole pool, in the order of the files."""
        yield from self._pool.values()

    def first_row_problems(self) -> list[str]:
        """What is wrong with the first row of each file, those of the candidates too."""
        found = super().first_row_problems()
        for path in self._candidate_files:
            try:
                next(self._candidates_of(path), None)
            except DataError as error:
                found.append(str(error))
        return list(dict.fromkeys(found))

    @cached_property
    def _pool(self) -> dict[str, Candidate]:
        """Id -> candidate.

        Raises:
            MalformedRowError: an id or a text is empty, or two candidates have one id.
        """
        found: dict[str, Candidate] = {}
        for path in self._candidate_files:
            for line, candidate in self._candidates_of(path):
                if candidate.id in found:
                    raise MalformedRowError(path, line, f"a second candidate {candidate.id!r}")
                found[candidate.id] = candidate
        return found

    def _candidates_of(self, path: Path) -> Iterator[tuple[int, Candidate]]:
        """Lines and candidates of a file."""
        id_column, text_column = (self._column(role) for role in self.rules.CANDIDATES)
        for record in records(path, (id_column, text_column)):
            id, text = record.fields[id_column].strip(), record.fields[text_column]
            if not id or not text.strip():
                raise MalformedRowError(path, record.line, "an empty id or text")
            yield record.line, Candidate(id, text)

    @property
    def _known_names(self) -> Container[str]:
        """Ids of the candidates."""
        return self._pool

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """See `Task.load`.

        Raises:
            MalformedRowError: a relevant candidate is none of the pool.
        """
        rows = super().load(source, split, language)
        if self.format == "retrieval":
            return rows
        path = super().files(source, split, language)[0]
        found: list[Example] = []
        for row in rows:
            assert isinstance(row, QueryExample)
            for id in row.relevant:
                if id not in self._pool:
                    line = int(row.id.rpartition("-")[2])
                    raise MalformedRowError(path, line, f"there is no candidate {id!r}")
                if split == "train":
                    found.append(MatchExample(row.id, row.query, self._pool[id].text))
        return found if split == "train" else rows
