"""Which files are for training, development and tests; rows are divided where names do not say it.

>>> assign([Entry(None, "en", path, path)], ("en",), Writer(...), notes)
{'train': {'en': Path('topics-data/en/train.csv')}, 'dev': ..., 'test': ...}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.guess.divide import LEAST, SEED, divide
from evalsuite.guess.guessed import Guess
from evalsuite.guess.origins import Origins
from evalsuite.guess.rows import Place, Rows, read_rows, write_rows
from evalsuite.guess.several import rarest
from evalsuite.guess.sheet import Sheet
from evalsuite.task import Split

SPLITS: tuple[Split, ...] = ("train", "dev", "test")
Places = dict[Split, dict[str, Place]]


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows of one language and split, as far as names and columns say it.

    Attributes:
        file: the file, of several the one with the texts.
        rows: some of the rows of the file, where a column decides; None for all.
        by: that column.
        sure: whether the language is certain; a word in a name may be another.
    """

    split: Split | None
    language: str | None
    file: Path
    place: Place
    rows: Rows | None = None
    by: str = ""
    sure: bool = True


def assign(
    entries: Sequence[Entry], train_on: Sequence[str], write: Writer, notes: list[str]
) -> Places:
    """Language -> file, per split; files are written where rows have to be divided.

    Args:
        train_on: languages that are trained on where no file is named for training; none to
            train on nothing.

    Raises:
        DataError: two files have the same rows to give, or there is nothing to train on.
    """
    by_place: dict[tuple[Split | None, str], Entry] = {}
    for entry in entries:
        key = (entry.split, entry.language or "")
        if key in by_place:
            raise DataError(
                f"{entry.file} and {by_place[key].file} are both {entry.split or 'all'} rows in "
                f"{entry.language}; pass one of them"
            )
        by_place[key] = entry
    named: dict[Split, dict[str, Entry]] = {
        split: {language: own for (there, language), own in by_place.items() if there == split}
        for split in SPLITS
    }
    unnamed = {language: own for (split, language), own in by_place.items() if split is None}
    whole = bool(train_on) and not named["train"]  # of files whose names say no split
    if whole:
        sources = _sources(unnamed, named, train_on)
        named["train"] = {code: unnamed.pop(code) for code in sources}
    for language, entry in unnamed.items():
        if language in named["test"]:
            notes.append(f"{entry.file}: not used; its name says no split")
        else:
            named["test"][language] = entry
    tested = named["dev"].keys() | named["test"].keys()
    if named["train"] and (not tested or (whole and not tested & named["train"].keys())):
        places = _divided(named, write, notes)
    else:
        places = {
            split: {language: write.whole(own, split) for language, own in found.items()}
            for split, found in named.items()
        }
    if write.columns:
        notes.append(
            f"rows are divided by column {' and '.join(sorted(write.columns))}; written to "
            f"{write.folder}/"
        )
    return places


def tests_of(entries: Sequence[Entry]) -> list[Entry]:
    """Of each language the rows to score: its test rows, else its development rows, else all."""
    order: tuple[Split | None, ...] = ("test", "dev", None, "train")
    best: dict[str | None, Entry] = {}
    for entry in sorted(entries, key=lambda own: order.index(own.split)):
        best.setdefault(entry.language, entry)
    return [replace(entry, split="test") for entry in best.values()]


def _sources(
    unnamed: Mapping[str, Entry],
    named: Mapping[Split, Mapping[str, Entry]],
    train_on: Sequence[str],
) -> list[str]:
    """The languages to train on, where no file says it is for training.

    Raises:
        DataError: there is none, or several and those wanted are not among them.
    """
    if found := [code for code in train_on if code in unnamed]:
        return found
    if len(unnamed) == 1:
        return [*unnamed]
    if unnamed:
        some = min(unnamed)
        raise DataError(
            f"there are rows in {', '.join(sorted(unnamed))}, and no file says it is for training\n"
            f"say which language: --train-on {some}, or name a file so: train-{some}.csv"
        )
    there = ", ".join(str(own.file) for found in named.values() for own in found.values())
    raise DataError(
        f"there is no file to train on, only {there}\n"
        "name one so that it says it: train-en.csv, train.en.csv or en/train.csv"
    )


class Writer:
    """Writes rows where they are not a whole file."""

    def __init__(
        self, sheets: Mapping[Path, Sheet], guess: Guess, folder: Path, replace: bool
    ) -> None:
        self.sheets, self.guess, self.folder, self.replace = sheets, guess, folder, replace
        self.columns: set[str] = set()
        self.origins = Origins()

    def rows(self, entry: Entry) -> Rows:
        """The rows of an entry."""
        if entry.by:
            self.columns.add(entry.by)
        return entry.rows or read_rows(entry.place, self.sheets[entry.file])

    def whole(self, entry: Entry, split: Split) -> Place:
        """The file itself, or one with the rows of the entry."""
        if entry.rows is None:
            return entry.place
        return self.write(self.rows(entry), entry, split)

    def write(self, rows: Rows, entry: Entry, split: Split) -> Place:
        """Rows as a file of the split, in the folder of the language."""
        folder = self.folder / (entry.language or "")
        place = write_rows(rows, folder, split, self._replaceable)
        self.origins.add(place, entry.place, rows)
        return place

    def _replaceable(self, path: Path) -> bool:
        """Whether a file may be replaced: as asked, and never one that was read."""
        read = {file.resolve() for file in self.sheets}
        return self.replace and path.resolve() not in read

    def divided(self, entry: Entry) -> dict[Split, Place]:
        """Three files.

        Raises:
            DataError: there are too few rows.
        """
        rows = self.rows(entry)
        if len(rows.rows) < LEAST:
            of = f" in {entry.language}" if entry.rows is not None else ""
            raise DataError(
                f"{entry.file} has {len(rows.rows)} rows{of}, too few to set some apart for tests "
                f"(from {LEAST} on); give a second file, named test.csv"
            )
        texts, labels = self._keys(rows)
        parts = divide(texts, labels)
        if not all(parts.values()):
            raise DataError(
                f"{entry.file}: {len(rows.rows)} rows with {len(set(labels))} labels are too few "
                "rows per label to set some apart for tests; give more rows, or a second file, "
                "named test.csv"
            )
        return {
            split: self.write(rows.some(places), entry, split) for split, places in parts.items()
        }

    def _keys(self, rows: Rows) -> tuple[list[str], list[str]]:
        """Text and label of each row, of several the rarest; a sentence of words has no label."""
        if rows.form == "conll":
            return ["\n".join(block) for block in rows.rows], [""] * len(rows.rows)
        at = {
            part: rows.place_of(column)
            for part, column in self.guess.columns.items()
            if not isinstance(column, tuple)
        }
        texts = [place for part, place in at.items() if part not in ("label", "score", "labels")]
        found = [""] * len(rows.rows)
        if (label := at.get("label")) is not None:
            found = [row[label] for row in rows.rows]
        elif (label := at.get("labels")) is not None:
            found = rarest([row[label] for row in rows.rows])
        return ["\n".join(row[place] for place in texts) for row in rows.rows], found


def _divided(named: Mapping[Split, Mapping[str, Entry]], write: Writer, notes: list[str]) -> Places:
    """Training files divided in three; files of other languages are tests."""
    places: Places = {"train": {}, "dev": {}, "test": {}}
    for language, entry in named["train"].items():
        for split, place in write.divided(entry).items():
            places[split][language] = place
        notes.append(
            f"{entry.file}: nothing says which rows are for tests, so a tenth of each label is set "
            f"apart for development and a tenth for tests (seed {SEED}); written to {write.folder}/"
        )
    for language, entry in named["test"].items():
        places["test"].setdefault(language, write.whole(entry, "test"))
    for language, entry in named["dev"].items():  # no language that is trained has one here
        if language in places["test"]:
            notes.append(f"{entry.file}: not used; {language} has rows for tests")
        else:
            places["test"][language] = write.whole(entry, "test")
            notes.append(f"{entry.file}: used for tests; nothing is trained in {language}")
    return places
