"""The data files of folders, and what their names say: split, language, part of a row.

>>> [(file.split, file.language) for file in read_names([Path("topics")])]
[('train', 'en'), ('test', 'de'), ('test', 'en')]

A name is read word by word (`stsb-de-test.csv`, `de/test_text.txt`, `train.xx.csv`). Which word is
the language is decided over all files together: the place in which most languages stand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.guess.language_codes import WORDS, language_of
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


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file and what its name says.

    Attributes:
        path: as it is written in a recipe.
        pattern: the path with `{language}` where the name has the code as recipes write it.
        part: of a row, where files have one line per row: text or label.
    """

    path: Path
    split: Split | None
    language: str | None
    pattern: str | None
    part: str | None


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    language: str | None


def read_names(paths: Sequence[Path]) -> list[NamedFile]:
    """All data files of these files and folders.

    Raises:
        DataError: there is no such path, no data file in it, or far too many.
    """
    found: list[tuple[Path, int]] = []  # and where the part of the path begins that is read
    for path in paths:
        if path.is_dir():
            inside = [(file, len(str(path).rstrip("/")) + 1) for file in _inside(path)]
            found += inside if str(path) != "." else [(file, 0) for file, _ in inside]
        elif path.is_file():
            if _kind(path) is None:
                raise DataError(
                    f"{path}: the name does not say what kind of file it is; lingopress init reads "
                    f"{', '.join(KINDS)}, and {' or '.join(COMPRESSED)} after them"
                )
            folder = path.parent.name
            known = folder and (language_of(folder) or folder.lower() in SPLITS)
            shown = f"{folder}/{path.name}" if known else path.name
            found.append((path, len(str(path)) - len(shown)))
        else:
            raise DataError(f"there is no file or folder {path} (from {Path.cwd()})")
    if not found:
        shown = ", ".join(map(str, paths))
        raise DataError(
            f"{shown}: there is no data file in it; lingopress init reads {', '.join(KINDS)}, and "
            f"{' or '.join(COMPRESSED)} after them"
        )
    return _agreed([_named(path, start) for path, start in found])


def _inside(folder: Path) -> Iterator[Path]:
    count = 0
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        hidden = any(part.startswith((".", "_")) for part in below.parts)
        if hidden or not path.is_file() or _kind(path) is None or _NO_DATA.match(path.name):
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


def _named(path: Path, start: int) -> tuple[NamedFile, list[_Word]]:
    """A file without its language, and the words of its name that may be one."""
    text = str(path)
    end = len(text)
    while (suffix := Path(text[:end]).suffix) and suffix.lower() in (*COMPRESSED, *KINDS):
        end -= len(suffix)
    split: Split | None = None
    part = None
    words = []
    for word in _WORD.finditer(text, start, end):
        lower = word[0].lower()
        if lower in SPLITS:
            split = SPLITS[lower]
        elif lower in _PARTS:
            part = _PARTS[lower]
        else:
            longer = re.compile(r"[-_][A-Za-z]{2,4}(?![^\W_])").match(text, word.end(), end)
            if longer and (code := language_of(word[0] + longer[0])):
                words.append(_Word(word.start(), longer.end(), code))
            elif code := language_of(word[0]):
                words.append(_Word(word.start(), word.end(), code))
    return NamedFile(path, split, None, None, part), words


def _agreed(files: list[tuple[NamedFile, list[_Word]]]) -> list[NamedFile]:
    """Each file's language: the word whose place has the most languages over all files."""
    places: dict[str, set[str]] = defaultdict(set)
    for file, words in files:
        for word in words:
            if word.language:
                places[_place(file, word)].add(word.language)
    result = []
    for file, words in files:
        sure = [
            word
            for word in words
            if word.language not in WORDS
            or len(places[_place(file, word)]) > 1
            or _is_whole(file.path, word)
        ]
        if not sure:
            result.append(file)
            continue
        best = max(
            sure, key=lambda w: (len(places[_place(file, w)]), _is_whole(file.path, w), w.start)
        )
        result.append(
            replace(file, language=best.language, pattern=_pattern(file.path, best, words))
        )
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


def _is_whole(path: Path, word: _Word) -> bool:
    """Whether a word is the name of a folder, or of the file before its suffixes."""
    text = str(path)
    return (word.start == 0 or text[word.start - 1] == "/") and text[word.end] in "/."
