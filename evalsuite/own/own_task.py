"""A task of the user's own, read from the files its declaration names.

>>> task = OwnTask("topics", Declaration(format="classification", ...))
>>> task.load(DataSource("files"), "test", "sw")[0]
PairExample(id='test-sw-2', first='Mvua inanyesha.', second=None, label='weather')

Nothing is left out without a word: a row that does not fit is an error that names file and line.
A file without labels (their column is absent) has rows to predict on, which are not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from evalsuite.data.sourced import english_first
from evalsuite.errors import DataError, MalformedRowError, UnknownNameError
from evalsuite.languages import SOURCE_LANGUAGE
from evalsuite.own.conll import sentences
from evalsuite.own.declaration import Declaration
from evalsuite.own.records import Column, Record, content, records
from evalsuite.task import DataSource, Example, PairExample, SourceKind, Split, TagExample, Task

SPLITS: tuple[Split, ...] = ("train", "dev", "test")


class OwnTask(Task):
    """A declared task.

    Attributes:
        declaration: what the recipe says of it.
    """

    layout = "the files that the recipe names"

    def __init__(self, name: str, declaration: Declaration) -> None:
        self.name, self.declaration = name, declaration
        self.title = declaration.title or name
        self.format = "tagging" if declaration.format == "tagging" else "pair"
        self.metric = declaration.metric_name
        self.licence = declaration.licence or "not given"
        self.citation = self.url = declaration.url
        self._shown: dict[str, bool] = {}  # language -> whether its test file has labels
        self._places = {split: declaration.places(split) for split in SPLITS}
        trained = tuple(self._places["train"])
        default = SOURCE_LANGUAGE if SOURCE_LANGUAGE in trained or not trained else trained[0]
        self.source_language = declaration.source_language or default
        self.training_languages = trained or (self.source_language,)
        every = {code for found in self._places.values() for code in found}
        self.languages = self._ordered(every)
        self.trains_on = bool(trained)
        self.eval_splits = ("test",) if self._places["test"] else ("dev",)
        self.labels = declaration.label_names() or self._found_labels()

    def _ordered(self, codes: set[str]) -> tuple[str, ...]:
        first = [self.source_language] if self.source_language in codes else []
        return (*first, *(code for code in english_first(codes) if code != self.source_language))

    def kind_of_source(self, source: DataSource) -> SourceKind:
        """Always its own files."""
        return "files"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """The file of a split and a language, or one per part of a row."""
        place = self._places[split].get(language)
        if place is None:
            return ()
        return tuple(place.values()) if isinstance(place, dict) else (place,)

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages with a file that shows its labels; where it hides them nothing is scored."""
        if split != "test" or self.format == "tagging":
            return self._ordered(set(self._places[split]))
        return self._ordered({code for code in self._places[split] if self._shows_labels(code)})

    def _shows_labels(self, language: str) -> bool:
        if language not in self._shown:
            first = next(self._rows("test", language), None)  # of no row, reading says so
            self._shown[language] = first is None or self._label(*first) is not None
        return self._shown[language]

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """See `Task.load`."""
        if language not in self._places[split]:
            if language not in self.languages:
                raise UnknownNameError(f"language of {self.name}", language, self.languages)
            have = ", ".join(self.available(source, split)) or "no language"
            raise DataError(f"{self.name}: no {split} file in {language!r}; it has: {have}")
        if self.format == "tagging":
            return list(self._tagged(split, language))
        found = list(self._labelled(split, language))
        if not found:
            raise DataError(f"{self.files(source, split, language)[0]}: there is no row in it")
        return found

    def _labelled(self, split: Split, language: str) -> Iterator[PairExample]:
        texts = ("text",) if self.declaration.format == "classification" else ("first", "second")
        allowed = frozenset(self.labels)
        for path, record in self._rows(split, language):
            said = [record.fields[self._column(role)] for role in texts]
            for role, text in zip(texts, said, strict=True):
                if not text.strip():
                    raise MalformedRowError(path, record.line, f"an empty text ({role})")
            label = self._label(path, record)
            if label is not None and label not in allowed:
                raise MalformedRowError(
                    path,
                    record.line,
                    f"unknown label {label!r}; allowed: {', '.join(self.labels)}",
                )
            second = said[1] if len(said) == 2 else None
            yield PairExample(f"{split}-{language}-{record.line}", said[0], second, label)

    def _label(self, path: Path, record: Record) -> str | None:
        written = record.fields.get(self._column("label"))
        if written is None:
            return None
        if not written.strip():
            raise MalformedRowError(path, record.line, "no label")
        return self.declaration.spelling(written.strip())

    def _column(self, role: str) -> Column:
        return self.declaration.column(role)

    def _rows(self, split: Split, language: str) -> Iterator[tuple[Path, Record]]:
        """Rows with the path that messages name; a label column may be absent in test files."""
        place = self._places[split][language]
        if isinstance(place, dict):
            yield from self._side_by_side(place)
            return
        roles = ["text"] if self.declaration.format == "classification" else ["first", "second"]
        texts, label = [self._column(role) for role in roles], [self._column("label")]
        needed, optional = (texts, label) if split == "test" else (texts + label, [])
        for record in records(place, needed, optional):
            yield place, record

    def _side_by_side(self, parts: dict[str, Path]) -> Iterator[tuple[Path, Record]]:
        """Files with one line per row, each with one part of it."""
        read = {role: content(path).removesuffix("\n").split("\n") for role, path in parts.items()}
        first = next(iter(parts))
        for role, lines in read.items():
            if len(lines) != len(read[first]):
                raise MalformedRowError(
                    parts[role],
                    min(len(lines), len(read[first])) + 1,
                    f"{len(lines):,} lines, and {parts[first].name} has {len(read[first]):,}; "
                    "line by line they belong together",
                )
        for number, values in enumerate(zip(*read.values(), strict=True), 1):
            fields = {
                self._column(role): value.removesuffix("\r")
                for role, value in zip(read, values, strict=True)
            }
            yield parts[first], Record(number, fields)

    def _tagged(self, split: Split, language: str) -> Iterator[TagExample]:
        place = self._places[split][language]
        assert isinstance(place, Path)  # the declaration has no other form of tags
        allowed = frozenset(self.labels)
        for number, (line, words, tags) in enumerate(
            sentences(place, self._column("word"), self._column("tag"))
        ):
            for offset, tag in enumerate(tags):
                if tag not in allowed:
                    raise MalformedRowError(
                        place,
                        line + offset,
                        f"unknown tag {tag!r}; allowed: {' '.join(self.labels)}",
                    )
            yield TagExample(f"{split}-{language}-{number}", words, tags)

    def _found_labels(self) -> tuple[str, ...]:
        """Labels of the training files, or of the others where there are none.

        Numbers are in their order; names are sorted, `O` first.

        Raises:
            DataError: there is one label, or none.
        """
        split = next(name for name in SPLITS if self._places[name])
        found: set[str] = set()
        for language in self._places[split]:
            if self.format == "tagging":
                place = self._places[split][language]
                assert isinstance(place, Path)
                for _, _, tags in sentences(place, self._column("word"), self._column("tag")):
                    found.update(tags)
                continue
            rows = self._rows(split, language)
            found |= {label for path, row in rows if (label := self._label(path, row)) is not None}
        if len(found) < 2:
            seen = ", ".join(found) or "none"
            raise DataError(
                f"task {self.name}: its {split} files have fewer than two labels ({seen}); "
                "check columns, or name them: labels: [a, b]"
            )
        if all(label.lstrip("-").isdecimal() for label in found):
            return tuple(sorted(found, key=int))
        return tuple(sorted(found, key=lambda label: (label != "O", label)))
