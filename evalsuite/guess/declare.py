"""From files that were looked at to the declaration of a task.

>>> found = look_at([Path("data/topics")], Asked())
>>> found.declaration["format"], found.declaration["test"]
('classification', 'data/topics/{language}/test.tsv')

What can be seen is not asked for. Where files do not decide, the message says what was seen and
which option decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.guess.assign import Entry, Writer, assign, tests_of
from evalsuite.guess.columns import split_of
from evalsuite.guess.english import is_english
from evalsuite.guess.files import NamedFile, read_names
from evalsuite.guess.guessed import GUESSES, Guess, guess, used_columns
from evalsuite.guess.language_codes import language_of
from evalsuite.guess.rows import Place, read_rows
from evalsuite.guess.sheet import Sheet, read_sheet
from evalsuite.languages import SOURCE_LANGUAGE
from evalsuite.own.declaration import LANGUAGE, PLACE
from evalsuite.own.records import Column
from evalsuite.registry import OWN_FORMATS
from evalsuite.task import Split


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
        named: whether the table's first line names its columns.
    """

    declaration: dict[str, Any]
    notes: list[str]
    sheet: Sheet


def look_at(paths: Sequence[Path], asked: Asked) -> Found:
    """The task that some files are of.

    Raises:
        DataError: the files do not decide; says what was seen, and which option decides.
    """
    notes: list[str] = []
    files = read_names(paths)
    sheets = {file.path: read_sheet(file.path) for file in files}
    entries = _entries(files, sheets)
    first = min(entries, key=lambda entry: entry.split != "train")
    sheet = sheets[first.file]
    guessed = _guess(sheet, first.place, asked)
    entries = [part for entry in entries for part in _expanded(entry, sheets[entry.file], guessed)]
    entries = [
        _with_language(entry, sheets[entry.file], guessed, asked, notes) for entry in entries
    ]
    if asked.train_on is not None:
        entries = _only(entries, asked.train_on)
    if asked.test_only:
        entries = tests_of(entries)
    wanted = () if asked.test_only else asked.train_on or (SOURCE_LANGUAGE,)
    places = assign(entries, wanted, Writer(sheets, guessed, asked.folder, asked.replace), notes)
    patterns = {file.path: file.pattern for file in files}
    declaration: dict[str, Any] = {"format": guessed.format}
    for split, found in places.items():
        if found:
            declaration[split] = _written(found, patterns, split)
    columns = {
        part: list(column) if isinstance(column, tuple) else column
        for part, column in guessed.columns.items()
    }
    usual = OWN_FORMATS.get(guessed.format).ROLES
    if not isinstance(first.place, dict) and columns and columns != usual[0]:
        declaration["columns"] = columns
    return Found(declaration, notes, sheet)


def _entries(files: Sequence[NamedFile], sheets: Mapping[Path, Sheet]) -> list[Entry]:
    """Files, those with one line per row put together."""
    found: list[Entry] = []
    parts: dict[tuple[Split | None, str | None, str], dict[str, Path]] = {}
    for file in files:
        if sheets[file.path].form != "lines":
            found.append(Entry(file.split, file.language, file.path, file.path))
        elif file.part is None:
            raise DataError(
                f"{file.path} has one text per line and no labels; labels line by line can be in a "
                f"file next to it: {file.path.stem}_text.txt and {file.path.stem}_labels.txt"
            )
        else:
            key = (file.split, file.language, str(file.path.parent))
            if file.part in parts.setdefault(key, {}):
                raise DataError(
                    f"{file.path} and {parts[key][file.part]} have the same part of the same rows; "
                    "pass one of them"
                )
            parts[key][file.part] = file.path
    for (split, language, _), own in parts.items():
        if len(own) < 2:
            ((part, path),) = own.items()
            other = "labels" if part == "text" else "texts"
            raise DataError(f"{path}: there is no file with the {other} of its lines next to it")
        place = {part: own[part] for part in ("text", "label")}
        found.append(Entry(split, language, own["text"], place))
    return found


def _guess(sheet: Sheet, place: Place, asked: Asked) -> Guess:
    """The format and columns, as far as the person has not said them."""
    if isinstance(place, dict):
        return Guess("classification", {"text": "text", "label": "label"})
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


def _expanded(entry: Entry, sheet: Sheet, guessed: Guess) -> list[Entry]:
    """The parts of a file whose columns name the language or the split of each row."""
    used = used_columns(guessed)
    languages = [column for column in sheet.of("languages") if column.key not in used]
    splits = [column for column in sheet.of("splits") if column.key not in used]
    if isinstance(entry.place, dict) or sheet.form != "table" or not (languages or splits):
        return [entry]
    rows = read_rows(entry.place, sheet)
    found: dict[tuple[Split | None, str | None], list[list[str]]] = {}
    for row in rows.rows:
        split, language = entry.split, entry.language
        if languages:
            written = row[rows.place_of(languages[0].key)]
            language = language_of(written.strip())
            if language is None:
                raise DataError(
                    f"{entry.file}: {written!r} in column {languages[0].key} is not a language code"
                )
        if splits:
            split = split_of(row[rows.place_of(splits[0].key)])
        found.setdefault((split, language), []).append(row)
    if len(found) == 1:
        ((split, language),) = found
        return [replace(entry, split=split, language=language)]
    by = " and ".join(str(column[0].key) for column in (languages, splits) if column)
    return [
        replace(entry, split=split, language=language, rows=rows.some(own), by=by)
        for (split, language), own in found.items()
    ]


def _with_language(
    entry: Entry, sheet: Sheet, guessed: Guess, asked: Asked, notes: list[str]
) -> Entry:
    """The entry with its language: of its name, as the person says, or English by its words."""
    if entry.language is not None:
        return entry
    language = asked.language
    if language is None:
        text = next(iter(guessed.columns.values()), None)
        known = None if text is None or isinstance(text, tuple) else sheet.column(text)
        if not is_english((known or sheet.columns[0]).values):
            raise DataError(
                f"{entry.file}: its name does not say its language\n"
                "say it: --language de, or name the file so: train.de.csv, de/train.csv"
            )
        language = "en"
        notes.append(
            f"{entry.file}: taken as English by its words (--language CODE says otherwise)"
        )
    return replace(entry, language=language)


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


def _written(found: Mapping[str, Place], patterns: Mapping[Path, str | None], split: Split) -> Any:
    """Files of a split as a recipe has them: a path with `{language}`, or a path per code."""
    by_language: dict[str, Any] = {}
    common: set[Any] = set()
    for language, place in found.items():
        if isinstance(place, dict):
            by_language[language] = {part: str(path) for part, path in place.items()}
            common.add(tuple((p, _pattern(path, language, patterns)) for p, path in place.items()))
        else:
            by_language[language] = str(place)
            common.add(_pattern(place, language, patterns))
    if len(found) < 2 or len(common) > 1:
        return by_language
    (pattern,) = common
    if isinstance(pattern, tuple):
        return dict(pattern) if all(path for _, path in pattern) else by_language
    return pattern or by_language


def _pattern(path: Path, language: str, patterns: Mapping[Path, str | None]) -> str | None:
    if path in patterns:
        return patterns[path]
    parts = [PLACE if part == language else part for part in path.parts]  # one of ours
    return str(Path(*parts)) if LANGUAGE.fullmatch(language) else None
