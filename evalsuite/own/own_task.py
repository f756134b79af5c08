"""A task of the user's own, read from the files its declaration names.

>>> task = OwnTask("topics", Declaration(format="classification", ...))
>>> task.load(DataSource("files"), "test", "sw")[0]
PairExample(id='test-sw-2', first='Mvua inanyesha.', second=None, label='weather')

Nothing is left out without a word: a row that does not fit is an error that names file and line.
A file without labels (their column is absent) has rows to predict on, which are not scored. What a
row is made of, its format says (`evalsuite.own.formats`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from evalsuite.data import left_out
from evalsuite.data.answer_forms import Normal, mlqa
from evalsuite.data.sourced import english_first
from evalsuite.errors import DataError, UnknownNameError
from evalsuite.languages import SOURCE_LANGUAGE, is_among, wrong_code
from evalsuite.metric import is_hidden
from evalsuite.metrics._scheme import scheme_of
from evalsuite.own.declaration import Declaration
from evalsuite.own.formats import _label
from evalsuite.own.records import Column, Record, records
from evalsuite.own.row import Row
from evalsuite.own.side_by_side import side_by_side
from evalsuite.registry import FORMATS
from evalsuite.task import DataSource, Example, SourceKind, Split, Task

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
ROWS_SEED = 0  # of the rows that are drawn where not all are asked for


class OwnTask(Task):
    """A declared task.

    Attributes:
        declaration: what the recipe says of it.
    """

    layout = "the files that the recipe names"

    def __init__(self, name: str, declaration: Declaration) -> None:
        self.name, self.declaration = name, declaration
        self.title = declaration.title or name
        self.format = declaration.row_format
        self.metric = declaration.metric_name
        self.also, self.positive = declaration.also, declaration.positive
        self.licence = declaration.licence or "not given"
        self.citation = self.url = declaration.url
        self._shown: dict[str, bool] = {}  # language -> whether its test file has labels
        self._places = {split: declaration.places(split) for split in SPLITS}
        trained = tuple(self._places["train"])
        default = SOURCE_LANGUAGE if SOURCE_LANGUAGE in trained or not trained else trained[0]
        every = {code for found in self._places.values() for code in found}
        self.source_language = self._named_source(every) or default
        self.training_languages = trained or (self.source_language,)
        self.languages = self._ordered(every)
        self.trains_on = bool(trained)
        self.eval_splits = ("test",) if self._places["test"] else ("dev",)
        fixed: tuple[str, ...] | None = getattr(self.rules, "FIXED", None)
        self.labels = declaration.label_names() or () if fixed is None else fixed
        self._labels_from: tuple[Split, set[str]] | None = None
        if fixed is None and not self.labels:
            split = next(name for name in SPLITS if self._places[name])  # train, where there is one
            self._labels_from = (split, set(self._places[split]))
            self.labels = self._found_labels(split)
        if FORMATS.get(self.format).HEAD == "pair":
            self.two_texts = "second" in declaration.row_roles
        if self.format == "tagging":
            self.scheme = scheme_of(self.labels)
            if declaration.metric is None and self.scheme == "plain":
                self.metric = "token_accuracy"
        if self.positive is not None and self.positive not in self.labels:
            raise DataError(
                f"task {name}: positive: {self.positive!r} is none of its labels: "
                f"{', '.join(self.labels)}"
            )

    def _named_source(self, every: set[str]) -> str | None:
        """The source language that is declared; it has to be one of the files' languages.

        Where there is nothing to train on it may be another one: that of the models.
        """
        named = self.declaration.source_language
        if named is None or is_among(named, every):
            return named
        if wrong := wrong_code(named):
            raise DataError(f"task {self.name}: source_language: {wrong}")
        if self._places["train"]:
            raise DataError(
                f"task {self.name}: source_language: there is no file in {named!r}; name one of "
                f"{', '.join(english_first(every))}, or leave the key out"
            )
        return named

    @property
    def rules(self) -> Any:
        """The module of its format in `evalsuite.own.formats`."""
        return self.declaration.rules

    def takes_labels_from_more_than(self, split: Split, languages: Iterable[str]) -> bool:
        """Whether its labels were found in other files than those of a split and languages."""
        return self._labels_from not in (None, (split, set(languages)))

    def _ordered(self, codes: set[str]) -> tuple[str, ...]:
        first = [self.source_language] if self.source_language in codes else []
        return (*first, *(code for code in english_first(codes) if code != self.source_language))

    def normal(self, language: str) -> Normal:
        """How answers to questions are compared: by MLQA's rules, which know some articles."""
        return mlqa(language)

    def kind_of_source(self, source: DataSource) -> SourceKind:
        """Always its own files."""
        return "files"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """The file of a split and a language, or one per part of a row."""
        place = self._places[split].get(language)
        if place is None:
            return ()
        return tuple(place.values()) if isinstance(place, dict) else (place,)

    def parts_of_rows(self, split: Split, languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Language -> the parts of a row in the order of `files`, where each has its own file."""
        places = {code: self._places[split].get(code) for code in languages}
        return {code: tuple(place) for code, place in places.items() if isinstance(place, dict)}

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages with a file that shows its labels; where it hides them nothing is scored."""
        if split != "test" or not self._gold_roles:
            return self._ordered(set(self._places[split]))
        return self._ordered({code for code in self._places[split] if self._shows_gold(code)})

    def readable(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages with a file, whether it shows its labels or not."""
        return self._ordered(set(self._places[split]))

    def absent(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """None: its languages are those of its files, and some may be in one split alone."""
        return ()

    def _shows_gold(self, language: str) -> bool:
        if language not in self._shown:
            self._shown[language] = self._looked_for_gold(language)
        return self._shown[language]

    def _looked_for_gold(self, language: str) -> bool:
        if self._reads_whole("test", language):
            rows = self.load(_FILES, "test", language)
            return not all(map(is_hidden, FORMATS.get(self.format).gold(rows)))
        first = next(self._rows("test", language), None)  # of no row, reading says so
        return first is None or any(
            role in first.parts or role in first.lists for role in self._gold_roles
        )

    @property
    def _gold_roles(self) -> list[str]:
        """The parts of its rows that are predicted: none of a line and its translation."""
        return [role for role in self.declaration.row_roles if role in self.rules.GOLD]

    def first_row_problems(self) -> list[str]:
        """What is wrong with the first row of each file, such as a column that is absent."""
        found = []
        for split in SPLITS:
            for language in self._places[split]:
                try:
                    self._read_first_row(split, language)
                except DataError as error:
                    found.append(str(error))
        return list(dict.fromkeys(found))

    def _read_first_row(self, split: Split, language: str) -> None:
        if not self._reads_whole(split, language):
            for row in islice(self._rows(split, language), 1):
                self.rules.example(row, "", self.labels)
        elif split == "test" and self._gold_roles:
            self._shows_gold(language)  # which reads all rows, and is asked for again
        else:
            next(self._whole(split, language), None)

    def _reads_whole(self, split: Split, language: str) -> bool:
        """Whether the rows are in a file that is no table."""
        place, whole = self._places[split][language], getattr(self.rules, "reads_whole", None)
        return whole is not None and isinstance(place, Path) and bool(whole(place))

    def _whole(self, split: Split, language: str) -> Iterator[Example]:
        """The rows of a file that is no table."""
        (path,) = self.files(_FILES, split, language)
        found: Iterator[Example] = self.rules.examples(
            self.declaration, path, f"{split}-{language}", self.labels
        )
        return found

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """See `Task.load`."""
        self.require(source, split, language)
        prefix = f"{split}-{language}"
        path = self.files(_FILES, split, language)[0]
        found: list[Example]
        skipped: Counter[str] = Counter()
        if self._reads_whole(split, language):
            found = list(self._whole(split, language))
        else:
            make, known = self.rules.example, self._known_names
            rows = self._rows(split, language, skipped)
            found = [make(row, f"{prefix}-{row.line}", known) for row in rows]
        if not found:
            raise DataError(f"{path}: there is no row in it")
        total = len(found) + skipped.total()
        left_out.record(left_out.Rows(self.name, split, language), total, skipped, always=True)
        return found

    @property
    def _known_names(self) -> Container[str]:
        """What a row may name."""
        return self.labels

    def some_of(self, rows: Sequence[Example], most: int | None) -> Sequence[Example]:
        """At most `most` of the rows, in their order, drawn by a fixed seed from all of them.

        People's files are often sorted by label, so the first rows could have one label alone.
        """
        if most is None or most >= len(rows):
            return rows
        drawn = Random(ROWS_SEED).sample(range(len(rows)), most)
        return [rows[index] for index in sorted(drawn)]

    def rows_drawn(self, most: int | None) -> str:
        """The number of rows and the seed they are drawn by."""
        return "" if most is None else f"rows:{most}|rows_seed:{ROWS_SEED}"

    def require(self, source: DataSource, split: Split, language: str) -> None:
        """Raise what `load` raises where there are no rows of a language."""
        problem = self.without_files(split, (language,))
        if problem and language not in self.languages:
            raise UnknownNameError(f"language of {self.name}", language, self.languages)
        if problem:
            raise DataError(problem)

    def without_files(self, split: Split, languages: Iterable[str]) -> str:
        """What to say where languages have no file of a split; empty where all have one.

        >>> task.without_files("train", ("en", "fr"))
        'topics has training rows in en, none in fr'
        """
        there = self._ordered(set(self._places[split]))
        if not there:
            return f"the task {self.name} declares no {split} files; add `{split}:` to it"
        absent = [code for code in languages if code not in there]
        rows = "training" if split == "train" else split
        has = f"{self.name} has {rows} rows in {', '.join(there)}"
        return f"{has}, none in {', '.join(absent)}" if absent else ""

    def _rows(
        self, split: Split, language: str, skipped: Counter[str] | None = None
    ) -> Iterator[Row]:
        """Rows by their parts; those to be predicted may be absent from test files."""
        place, rules = self._places[split][language], self.rules
        if isinstance(place, dict):
            yield from self._side_by_side(place)
            return
        needed: list[Column] = []
        optional: list[Column] = []
        for role, columns in self._columns.items():
            hidden = split == "test" and role in rules.GOLD
            (optional if hidden else needed).extend(columns)
        for record in records(place, needed, optional, skipped):
            yield self._row(place, record)

    def _row(self, path: Path, record: Record) -> Row:
        parts: dict[str, str] = {}
        lists: dict[str, dict[Column, str]] = {}
        for role, columns in self._columns.items():
            there = {name: record.fields[name] for name in columns if name in record.fields}
            if there and role in self._listed:
                lists[role] = there
            elif there:
                (parts[role],) = there.values()
        return self._made(path, record.line, parts, lists)

    def _made(
        self,
        path: Path,
        line: int,
        parts: dict[str, str],
        lists: dict[str, dict[Column, str]],
    ) -> Row:
        said = self.declaration
        return Row(path, line, parts, lists, said.spelling, said.labels or ())

    @cached_property
    def _columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each part of a row; kept, since every row asks for them."""
        found = self.declaration
        return {role: found.columns_of(role) or (found.column(role),) for role in found.row_roles}

    @cached_property
    def _listed(self) -> frozenset[str]:
        """The parts that have several columns."""
        return frozenset(role for role in self._columns if self.declaration.columns_of(role))

    def _column(self, role: str) -> Column:
        return self.declaration.column(role)

    def _side_by_side(self, parts: dict[str, Path]) -> Iterator[Row]:
        """Files with one line per row, each with one part of it."""
        read, first = side_by_side(parts), next(iter(parts))
        for number, values in enumerate(zip(*read.values(), strict=True), 1):
            yield self._made(parts[first], number, dict(zip(read, values, strict=True)), {})

    def _found_labels(self, split: Split) -> tuple[str, ...]:
        """Labels of the files of a split.

        Raises:
            DataError: there is one label, or none.
        """
        languages = self._places[split]
        whole = [code for code in languages if self._reads_whole(split, code)]
        tables = [code for code in languages if code not in whole]
        found: tuple[str, ...] = self.rules.labels(
            row for code in tables for row in self._rows(split, code)
        )
        if whole:
            paths = [path for code in whole for path in self.files(_FILES, split, code)]
            more = self.rules.labels_of_files(self.declaration, paths)
            found = _label.in_order({*found, *more})
        if len(found) < 2:
            seen = ", ".join(found) or "none"
            raise DataError(
                f"task {self.name}: its {split} files have fewer than two labels ({seen}); "
                "check columns, or name them: labels: [a, b]"
            )
        return found


_FILES = DataSource("files")
