"""What the tasks share: one `load` over the three sources.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "sw")   # reads data/xnli/dev-sw.tsv
>>> TASK.load(DataSource("hub"), "dev", "sw")                    # split validation, config sw
>>> TASK.load(DataSource("embedded"), "test", "sw")              # evalsuite.data.embedded

A task says where its files are, how one is read, and what a hub row and an embedded row are.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from evalsuite.data import hub, left_out
from evalsuite.data.mistaken import hides_labels, is_there
from evalsuite.errors import DataError, UnknownNameError
from evalsuite.task import DataSource, Example, HubSource, Split, Task

_CODE = re.compile(r"[a-z]{2,3}")


class SourcedTask(Task):
    """A task whose rows come from a hub data set, an XTREME directory or the embedded suite.

    Attributes:
        file: path of a split's file under an XTREME directory, with `{split}` and `{language}`.
        columns: columns of a row that shows its label; test files of the XTREME scripts have
            one less, and their languages are not `available`, since nothing can be scored there.
        hub_splits: our split -> the hub data set's.
        hub_languages: languages the hub data set has, where they are not all of `languages`.
        hub_training_languages: languages it has training rows in, where not English alone.
    """

    file: ClassVar[str]
    columns: ClassVar[int]
    hub_splits: ClassVar[dict[Split, str]] = {
        "train": "train",
        "dev": "validation",
        "test": "test",
    }
    hub_languages: ClassVar[tuple[str, ...] | None] = None
    hub_training_languages: ClassVar[tuple[str, ...]] = ("en",)

    @abstractmethod
    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        """Rows of one language from the files of `files`."""

    @abstractmethod
    def hub_config(self, language: str) -> str:
        """Configuration of the hub data set that holds a language."""

    def hub_source(self, language: str) -> HubSource | None:
        """The hub data set that holds a language; None where the hub has no copy."""
        return self.hub

    @abstractmethod
    def from_row(self, row: hub.Row, id: str) -> Example | None:
        """One hub row; None where it is to be left out."""

    @abstractmethod
    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        """Rows of the embedded suite."""

    def embedded_splits(self) -> tuple[Split, ...]:
        """Splits the embedded suite has; `train` is English only."""
        return ("train", "dev", "test")

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """See `Task.load`."""
        has = self.available(source, split)
        if language not in has and language not in self.languages:
            raise UnknownNameError(f"language of {self.name}", language, {*self.languages, *has})
        if source.kind == "xtreme":
            return self._from_files(self.files(source, split, language), split, language)
        if language not in has:
            raise DataError(
                f"the {source.kind} source has no {self.name} {split} rows in {language!r}; "
                f"it has: {', '.join(has) or 'no language'}"
            )
        if source.kind == "embedded":
            from evalsuite.data.embedded import generate as embedded

            return list(_generated(self.embedded_rows, embedded, split, language))
        return self._from_hub(split, language)

    def _from_files(self, paths: Sequence[Path], split: Split, language: str) -> Sequence[Example]:
        rows = self.read(paths, split, language)
        if not rows:
            raise DataError(f"{self.what(split, language)}: {paths[0]} gives no rows")
        return rows

    def _from_hub(self, split: Split, language: str) -> list[Example]:
        source = self.hub_source(language)
        assert source is not None  # `available` is empty without it
        rows = hub.rows(source, self.hub_config(language), self.hub_splits[split])
        made = (self.from_row(row, f"{split}-{language}-{n}") for n, row in enumerate(rows))
        return self.kept(made, split, language)

    def kept(self, made: Iterable[Example | None], split: Split, language: str) -> list[Example]:
        """The rows of the hub that are used; the others are counted."""
        everything = list(made)
        found = [example for example in everything if example is not None]
        reasons = {"no gold label, or no text": len(everything) - len(found)}
        left_out.record(left_out.Rows(self.name, split, language), len(everything), reasons)
        return found

    def what(self, split: Split, language: str) -> str:
        """How a message names a file."""
        return f"{self.name} {language}, {split} split"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """See `Task.files`."""
        if source.kind != "xtreme":
            return ()
        return (root(source) / self.file.format(split=split, language=language),)

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """See `Task.available`; languages whose labels are hidden are left out."""
        if source.kind == "xtreme":
            return english_first(self._in_directory(source, split))
        if source.kind == "embedded":
            return english_first(self._in_suite(split))
        if source.kind == "files" or self.hub is None or split not in self.hub_splits:
            return ()
        if split == "train":
            return english_first(self.hub_training_languages) if self.trains_on else ()
        return english_first(self.languages if self.hub_languages is None else self.hub_languages)

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        pattern = self.file.format(split=split, language="*")
        before, after = pattern.rsplit("/", 1)[1].split("*")
        for path in root(source).glob(pattern):
            code = path.name.removeprefix(before).removesuffix(after)
            hidden = split == "test" and hides_labels(path, self.columns)
            if _CODE.fullmatch(code) and not hidden:
                yield code

    def _in_suite(self, split: Split) -> Iterable[str]:
        if split not in self.embedded_splits():
            return ()
        if split == "train":
            return ("en",)
        from evalsuite.data.embedded import generate as embedded

        return tuple(embedded.LANGUAGES)


@cache
def _generated(
    rows: Callable[[ModuleType, Split, str], Sequence[Example]],
    suite: ModuleType,
    split: Split,
    language: str,
) -> tuple[Example, ...]:
    """Rows of the embedded suite. They are generated once per process: 3,000 take 60 ms."""
    return tuple(rows(suite, split, language))


class NotEmbedded(SourcedTask):
    """A task the embedded suite has no rows of."""

    def embedded_splits(self) -> tuple[Split, ...]:
        return ()

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        raise NotImplementedError  # not reached: `available` is empty


class EnglishTask(NotEmbedded):
    """An English data set, read from the files it was published as.

    Attributes:
        places: where a split's file may lie under the directory, the first there is.
        config: configuration of the hub data set.
    """

    languages: tuple[str, ...] = ("en",)
    eval_splits: tuple[Split, ...] = ("dev",)
    hub_splits: ClassVar[dict[Split, str]] = {"train": "train", "dev": "validation"}
    places: ClassVar[dict[Split, tuple[str, ...]]]
    config: ClassVar[str] = "default"

    def hub_config(self, language: str) -> str:
        return self.config

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        if source.kind != "xtreme":
            return ()
        return first_there([root(source) / place for place in self.places.get(split, ())])

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        paths = self.files(source, split, "en")
        if paths and all(map(is_there, paths)):
            yield "en"


def first_there(places: Sequence[Path]) -> tuple[Path, ...]:
    """The first of the paths that exists, else the first, to be named in a message."""
    return next(((place,) for place in places if is_there(place)), tuple(places[:1]))


def root(source: DataSource) -> Path:
    """The XTREME directory of a source.

    Raises:
        DataError: none was given, or it is no directory.
    """
    if source.kind == "files":
        raise DataError(
            "source: files has only the rows of tasks that the recipe declares; for others write "
            "source: hub, xtreme or embedded"
        )
    if source.data_dir is None:
        raise DataError(
            "source: xtreme needs a directory; type: --data-dir <directory in the layout of the "
            "XTREME download scripts>"
        )
    if not source.data_dir.is_dir():
        raise DataError(f"--data-dir {source.data_dir}: there is no such directory")
    return source.data_dir


def english_first(codes: Iterable[str]) -> tuple[str, ...]:
    """Sorted, English before the others."""
    return tuple(sorted(set(codes), key=lambda code: (code != "en", code)))
