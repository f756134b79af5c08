"""From files that were looked at to the declaration of a task.

>>> found = look_at([Path("data/topics")], Asked())
>>> found.declaration["format"], found.declaration["test"]
('classification', 'data/topics/{language}/test.tsv')

What can be seen is not asked for. Where files do not decide, the message says what was seen and
which option decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.guess.assign import Entry, Writer, assign, tests_of
from evalsuite.guess.by_column import by_column
from evalsuite.guess.declared_paths import declared_paths
from evalsuite.guess.english import is_english
from evalsuite.guess.files import NamedFile, read_names
from evalsuite.guess.guessed import GUESSES, Guess, guess, used_columns
from evalsuite.guess.language_codes import WORDS, asked_language
from evalsuite.guess.language_names import NAMES
from evalsuite.guess.origins import Origins
from evalsuite.guess.rows import Place
from evalsuite.guess.sheet import Sheet, read_sheet
from evalsuite.languages import SOURCE_LANGUAGE
from evalsuite.own.records import Column
from evalsuite.registry import OWN_FORMATS
from evalsuite.task import Split

# Format -> the parts of its rows in a file of texts and in one of labels, one line per row each.
_LINES = {
    "classification": ("text", "label"),
    "multilabel": ("text", "labels"),
    "regression": ("text", "score"),
    "tagging": ("word", "tag"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person decides; everything else is seen from the files.

    Attributes:
        format: of the rows.
        columns: part of a row -> its column.
        language: of files whose names do not say it.
        train_on: languages whose training rows are used; None for all.
        folder: where rows are written that have to be divided.
        replace: whether files in `folder` may be replaced.
        test_only: whether rows are to be scored alone, and none trained on.
    """

    format: str | None = None
    columns: Mapping[str, Column | tuple[Column, ...]] = field(default_factory=dict)
    language: str | None = None
    train_on: tuple[str, ...] | None = None
    folder: Path = Path("data")
    replace: bool = False
    test_only: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A declaration, as a recipe has it, and what was decided on the way.

    Attributes:
        notes: sentences for the person.
        origins: where rows were before they were written to other files.
    """

    declaration: dict[str, Any]
    notes: list[str]
    sheet: Sheet
    origins: Origins


def look_at(paths: Sequence[Path], asked: Asked) -> Found:
    """The task that some files are of.

    Raises:
        DataError: the files do not decide; says what was seen, and which option decides.
    """
    if asked.language is not None:
        asked = replace(asked, language=asked_language("--language", asked.language))
    notes: list[str] = []
    files = read_names(paths)
    sheets = {file.path: read_sheet(file.path) for file in files}
    entries = _entries(files, sheets)
    first = min(entries, key=lambda entry: entry.split != "train")
    sheet = sheets[first.file]
    guessed = _guess(sheet, first.place, asked)
    used = used_columns(guessed)
    entries = [
        part
        for entry in (_with_parts(entry, guessed.format) for entry in entries)
        for part in by_column(entry, sheets[entry.file], used, notes)
    ]
    all_named = all(entry.language is not None for entry in entries)
    entries = [
        _with_language(
            entry, _texts(sheets[entry.file], guessed), asked, notes, all_named=all_named
        )
        for entry in entries
    ]
    if asked.train_on is not None:
        entries = _only(entries, asked.train_on)
    if asked.test_only:
        entries = tests_of(entries)
    wanted = () if asked.test_only else asked.train_on or (SOURCE_LANGUAGE,)
    writer = Writer(sheets, guessed, asked.folder, asked.replace)
    places = assign(entries, wanted, writer, notes)
    patterns = {file.path: file.pattern for file in files}
    declaration: dict[str, Any] = {"format": guessed.format}
    for split, found in places.items():
        if found:
            declaration[split] = declared_paths(found, patterns, split, guessed.format)
    columns = {
        part: list(column) if isinstance(column, tuple) else column
        for part, column in guessed.columns.items()
    }
    usual = OWN_FORMATS.get(guessed.format).ROLES
    if not isinstance(first.place, dict) and columns and columns != usual[0]:
        declaration["columns"] = columns
    return Found(declaration, notes, sheet, writer.origins)


def _entries(files: Sequence[NamedFile], sheets: Mapping[Path, Sheet]) -> list[Entry]:
    """Files, those with one line per row put together."""
    found: list[Entry] = []
    parts: dict[tuple[Split | None, str | None, bool, str], dict[str, Path]] = {}
    for file in files:
        if sheets[file.path].form != "lines":
            found.append(Entry(file.split, file.language, file.path, file.path, sure=file.sure))
        elif file.part is None:
            raise DataError(
                f"{file.path} has one text per line and no labels; labels line by line can be in a "
                f"file next to it: {file.path.stem}_text.txt and {file.path.stem}_labels.txt"
            )
        else:
            key = (file.split, file.language, file.sure, str(file.path.parent))
            if file.part in parts.setdefault(key, {}):
                raise DataError(
                    f"{file.path} and {parts[key][file.part]} have the same part of the same rows; "
                    "pass one of them"
                )
            parts[key][file.part] = file.path
    for (split, language, sure, _), own in parts.items():
        if len(own) < 2:
            ((part, path),) = own.items()
            other = "labels" if part == "text" else "texts"
            raise DataError(f"{path}: there is no file with the {other} of its lines next to it")
        place = {part: own[part] for part in ("text", "label")}
        found.append(Entry(split, language, own["text"], place, sure=sure))
    return found


def _guess(sheet: Sheet, place: Place, asked: Asked) -> Guess:
    """The format and columns, as far as the person has not said them."""
    if isinstance(place, dict):
        return _guess_of_lines(place, asked)
    if not asked.columns:
        return guess(sheet, asked.format)
    columns = {part: _keys(sheet, part, said) for part, said in asked.columns.items()}
    wanted = set(columns)
    ways = {
        name: [set(way) for way in OWN_FORMATS.get(name).ROLES]
        for name in ([asked.format] if asked.format else GUESSES.names())
    }
    fits = [name for name, own in ways.items() if any(wanted <= way for way in own)]
    if not fits:
        parts = "; ".join(
            f"{name}: {' or '.join(', '.join(sorted(way)) for way in own)}"
            for name, own in ways.items()
        )
        raise DataError(f"--columns: no format has {', '.join(asked.columns)}\n{parts}")
    if whole := [name for name in fits if wanted in ways[name]]:
        return Guess(whole[0], columns)
    base = guess(sheet, fits[0])
    return Guess(base.format, {**base.columns, **columns})


def _guess_of_lines(place: Mapping[str, Path], asked: Asked) -> Guess:
    """Texts and labels in files with one line per row each: the format that is asked for.

    Raises:
        DataError: columns are asked for, or rows that such files cannot hold.
    """
    if asked.columns:
        raise DataError(
            f"--columns: {_both(place)} have one line per row, and no columns\n"
            f"leave it out; what their lines are, --format says: {', '.join(_LINES)}"
        )
    format = asked.format or "classification"
    return Guess(format, {part: part for part in _line_parts(place, format)})


def _with_parts(entry: Entry, format: str) -> Entry:
    """An entry whose files are those of the parts that rows of the format have."""
    if not isinstance(entry.place, dict):
        return entry
    parts = _line_parts(entry.place, format)
    return replace(entry, place=dict(zip(parts, entry.place.values(), strict=True)))


def _line_parts(place: Mapping[str, Path], format: str) -> tuple[str, str]:
    rules = OWN_FORMATS.get(format)
    if format not in _LINES:
        raise DataError(
            f"{_both(place)} have a text and its label in each line, and a row of {format} is "
            f"{rules.NOUN}\n"
            f"write the rows to one file, as docs/own-tasks.md shows for {format}; or say what the "
            f"lines are: --format {' or '.join(_LINES)}"
        )
    return _LINES[format]


def _both(place: Mapping[str, Path]) -> str:
    return " and ".join(map(str, place.values()))


def _keys(
    sheet: Sheet, part: str, said: Column | tuple[Column, ...]
) -> Column | tuple[Column, ...]:
    """Columns as the recipe names them: a number is a name where the file names its columns.

    Raises:
        DataError: there is no such column.
    """
    if isinstance(said, tuple):
        return tuple(key for one in said if not isinstance(key := _keys(sheet, part, one), tuple))
    keys = [column.key for column in sheet.columns]
    if said in keys:
        return said
    from_end = sheet.form == "sentences"  # -1 is the last column of CoNLL alone
    if isinstance(said, int) and (1 <= said <= len(keys) or (from_end and -len(keys) <= said < 0)):
        return keys[said - 1] if sheet.named else said
    raise DataError(
        f"--columns {part}={said}: {sheet.path} has no such column; it has: "
        + ", ".join(map(str, keys))
    )


def _with_language(
    entry: Entry, texts: Sequence[str], asked: Asked, notes: list[str], *, all_named: bool
) -> Entry:
    """The entry with its language: of its name, as the person says, or English by its words.

    Args:
        all_named: whether all names say a language, so that `--language` is of those not sure.

    Raises:
        DataError: the name does not say it, or the words are English where the name may say
            another language.
    """
    named = entry.language
    if named is not None and entry.sure:
        return entry
    english = is_english(texts)
    if asked.language is not None:
        keeps = named is not None and not (all_named or english)
        return entry if keeps else replace(entry, language=asked.language)
    if named is not None and (not english or named == SOURCE_LANGUAGE):
        return entry
    if not english:
        raise DataError(
            f"{entry.file}: its name does not say its language\n"
            "say it: --language de, or with a code of three letters, such as --language ceb, where "
            "there is none of two; or name the file so: train.de.csv, de/train.csv; of rows in "
            "several languages a column called language can say it"
        )
    if named is not None and named not in WORDS:
        name = NAMES.get(re.split("[-_]", named)[0], f"the language {named}")
        raise DataError(
            f"{entry.file}: its name may say {name}, and its words are English\n"
            f"say which: --language {SOURCE_LANGUAGE} or --language {named}; or name the file so: "
            f"train.{SOURCE_LANGUAGE}.csv or train.{named}.csv"
        )
    note = f"{entry.file}: taken as English by its words (--language CODE says otherwise)"
    if note not in notes:
        notes.append(note)
    return replace(entry, language=SOURCE_LANGUAGE)


def _texts(sheet: Sheet, guessed: Guess) -> Sequence[str]:
    """The texts of a sheet: of the first part of a row that is not predicted."""
    labels = OWN_FORMATS.get(guessed.format).GOLD
    for part, column in guessed.columns.items():
        if part not in labels and not isinstance(column, tuple):
            known = sheet.column(column)
            return (known or sheet.columns[0]).values
    return sheet.columns[0].values


def _only(entries: Sequence[Entry], languages: Sequence[str]) -> list[Entry]:
    """Without training and development rows of other languages."""
    there = sorted({entry.language or "" for entry in entries})
    if absent := [code for code in languages if code not in there]:
        raise DataError(
            f"--train-on: there are no rows in {', '.join(absent)}, but in {', '.join(there)}"
        )
    return [
        entry
        for entry in entries
        if entry.language in languages or entry.split not in ("train", "dev")
    ]
