"""The data files of folders, and what their names say: split, language, part of a row.

>>> [(file.split, file.language) for file in read_names([Path("topics")])]
[('train', 'en'), ('test', 'de'), ('test', 'en')]

A name is read word by word (`stsb-de-test.csv`, `de/test_text.txt`, `train.xx.csv`). Which word is
the language is decided over all files together: the place in which most languages stand. A word
that may be another (`hr-tickets.csv`) is a language that is not sure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.files_below import files_below
from evalsuite.guess.language_codes import WORDS, language_of, language_of_part
from evalsuite.own.declaration import PLACE
from evalsuite.own.records import COMPRESSED
from evalsuite.own.split_names import SPLITS
from evalsuite.task import Split

KINDS = (
    *(".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".json"),
    *(".conll", ".conllu", ".iob", ".iob2", ".bio"),
)
MOST = 2000  # files; a folder with more is not one task
_PARTS = {
    **dict.fromkeys(("text", "texts", "sentence", "sentences", "input", "inputs"), "text"),
    **dict.fromkeys(("label", "labels", "gold", "target", "targets", "class", "classes"), "label"),
}
_NO_DATA = re.compile(r"readme|licen[cs]e|copying|changelog|citation|requirements", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_LOCALES = tuple(  # what follows a code: a script and a region, or one of them
    re.compile(rf"(?:[-_][A-Za-z]{{2,4}}){{{count}}}(?![^\W_])") for count in (2, 1)
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file and what its name says.

    Attributes:
        path: as it is written in a recipe.
        sure: whether the word is a language for certain; the texts may show that it is none.
        pattern: the path with `{language}` where the name has the code as recipes write it.
        part: of a row, where files have one line per row: text or label.
    """

    path: Path
    split: Split | None
    language: str | None
    sure: bool
    pattern: str | None
    part: str | None


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a name that may be a language.

    Attributes:
        whole: it is a folder, or stands between dots.
        alone: all other words of the folder or file are splits, parts or numbers.
        passed: it is in a name that was passed, or below it.
    """

    start: int
    end: int
    language: str
    whole: bool
    alone: bool
    passed: bool


def read_names(paths: Sequence[Path]) -> list[NamedFile]:
    """All data files of these files and folders.

    Raises:
        DataError: there is no such path, no data file in it, or far too many.
    """
    found: list[tuple[Path, int, int]] = []  # where the part that is read begins, and that passed
    for path in paths:
        if path.is_dir():
            inside = 0 if str(path) == "." else len(str(path).rstrip("/")) + 1
            start = inside - len(path.name) - 1 if language_of_part(path.name) else inside
            found += [(file, start, inside) for file in _inside(path)]
        elif path.is_file():
            if _kind(path) is None:
                raise DataError(
                    f"{path}: the name does not say what kind of file it is; lingopress init reads "
                    f"{', '.join(KINDS)}, and {' or '.join(COMPRESSED)} after them"
                )
            inside = len(str(path)) - len(path.name)
            folder = path.parent.name
            known = language_of_part(folder) or folder.lower() in SPLITS
            start = inside - len(folder) - 1 if known else inside
            found.append((path, start, inside))
        else:
            raise DataError(f"there is no file or folder {path} (from {Path.cwd()})")
    if not found:
        shown = ", ".join(map(str, paths))
        raise DataError(
            f"{shown}: there is no data file in it; lingopress init reads {', '.join(KINDS)}, and "
            f"{' or '.join(COMPRESSED)} after them"
        )
    return _agreed([_named(path, start, inside) for path, start, inside in found])


def _inside(folder: Path) -> Iterator[Path]:
    count = 0
    for path in sorted(files_below(folder)):
        below = path.relative_to(folder)
        hidden = any(part.startswith((".", "_")) for part in below.parts)
        if hidden or _kind(path) is None or _NO_DATA.match(path.name):
            continue
        count += 1
        if count > MOST:
            raise DataError(f"{folder} has over {MOST:,} data files; name the folder of one task")
        yield path


def _kind(path: Path) -> str | None:
    """The suffix that says what a file is, compressed or not."""
    name = path.name.lower()
    for end in COMPRESSED:
        name = name.removesuffix(end)
    return next((kind for kind in KINDS if name.endswith(kind)), None)


def _named(path: Path, start: int, inside: int) -> tuple[NamedFile, list[_Word]]:
    """A file without its language, and the words of its name that may be one."""
    text = str(path)
    end = len(text)
    while (suffix := Path(text[:end]).suffix) and suffix.lower() in (*COMPRESSED, *KINDS):
        end -= len(suffix)
    split: Split | None = None
    part = None
    words: list[_Word] = []
    for word in _WORD.finditer(text, start, end):
        lower = word[0].lower()
        if words and word.start() < words[-1].end:
            continue  # the region of a locale
        if lower in SPLITS:
            split = SPLITS[lower]
        elif lower in _PARTS:
            part = _PARTS[lower]
        elif found := _language(text, word, end):
            words.append(_word(text, word.start(), *found, end, inside))
    return NamedFile(path, split, None, True, None, part), words


def _language(text: str, word: re.Match[str], end: int) -> tuple[int, str] | None:
    """Where the language ends that begins with this word, and its code."""
    for longer in _LOCALES:
        match = longer.match(text, word.end(), end)
        if match and (code := language_of(word[0] + match[0])):
            return match.end(), code
    part = (word.start() == 0 or text[word.start() - 1] in "/._") and text[word.end()] in "/._"
    code = language_of_part(word[0]) if part else language_of(word[0])
    return None if code is None else (word.end(), code)


def _word(text: str, start: int, stop: int, language: str, end: int, inside: int) -> _Word:
    """A word and what stands around it."""
    first = text.rfind("/", 0, start) + 1
    last = text.find("/", stop, end)
    around = text[first:start] + " " + text[stop : end if last < 0 else last]
    alone = all(
        other in SPLITS or other in _PARTS or other.isdecimal()
        for other in _WORD.findall(around.lower())
    )
    whole = (start == 0 or text[start - 1] in "/.") and text[stop] in "/."
    return _Word(start, stop, language, whole, alone, start >= inside)


def _agreed(files: list[tuple[NamedFile, list[_Word]]]) -> list[NamedFile]:
    """Each file's language: the word whose place has the most languages over all files."""
    places: dict[str, set[str]] = defaultdict(set)
    for file, words in files:
        for word in words:
            places[_place(file, word)].add(word.language)

    def languages(file: NamedFile, word: _Word) -> int:
        return len(places[_place(file, word)])

    result = []
    for file, words in files:
        can_be = [
            word
            for word in words
            if word.language not in WORDS or languages(file, word) > 1 or word.whole
        ]
        if not can_be:
            result.append(file)
            continue
        best = max(can_be, key=lambda word: (languages(file, word), word.whole, word.start))
        sure = languages(file, best) > 1 or (best.passed and (best.whole or best.alone))
        pattern = _pattern(file.path, best, words)
        result.append(replace(file, language=best.language, sure=sure, pattern=pattern))
    return result


def _pattern(path: Path, best: _Word, words: Sequence[_Word]) -> str | None:
    """The path with `{language}` in each place of this language, where it is written as a code."""
    text = str(path)
    code = text[best.start : best.end]
    if code != best.language or "{" in text:
        return None
    for word in reversed(words):
        if text[word.start : word.end] == code:
            text = text[: word.start] + PLACE + text[word.end :]
    return text


def _place(file: NamedFile, word: _Word) -> str:
    """The path without this word and without the split, so that files of one form agree."""
    text = str(file.path)
    text = f"{text[: word.start]}\0{text[word.end :]}"
    return _WORD.sub(lambda m: "\1" if m[0].lower() in (*SPLITS, *_PARTS) else m[0], text)
