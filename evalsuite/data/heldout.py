"""Evaluation text, so that training text can be kept apart from it.

>>> held = HeldOut.read(DataSource("xtreme", Path("data/xtreme")))
>>> "her english is EXCELLENT" in held    # tatoeba.afr-eng.eng has "Her English is excellent."
True

Every file of an XTREME directory is read by its layout alone, so tasks this package does not know
count too: tagged words (`udpos`, `panx`) make sentences, JSON gives its strings, whole and by
sentence, any other file its columns. Training files count as well. Two texts are the same if their
letters and digits are, whatever their case, spacing and punctuation.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from evalsuite.data import files
from evalsuite.data.csv_reader import csv_reader
from evalsuite.data.json_text import parse
from evalsuite.data.sourced import root
from evalsuite.errors import MalformedRowError
from evalsuite.files_below import files_below
from evalsuite.task import DataSource

_TRAINING_TEXT = {"parallel", "mono"}  # folders of the corpus, where it lies in the directory
_TAGGED = {"udpos", "panx"}
_BY_LINE = {"tatoeba", "bucc2018"}  # their files' names end in a language
_SUFFIXES = {".tsv", ".csv", ".json", ".jsonl"}
_LAYOUT = "any file of the XTREME download scripts"
_OTHER = re.compile(r"[\W_]+")  # all but letters and digits
_OTHER_ASCII = bytes(code for code in range(128) if not chr(code).isalnum())
_SENTENCE = re.compile(r"(?<=[.!?。！？؟।])\s*")


class HeldOut:
    """A set of texts, compared by their letters and digits."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._keys = {_key(text) for text in texts} - {b""}

    @classmethod
    def read(cls, source: DataSource) -> HeldOut:
        """All text of an XTREME directory; empty for `embedded`, whose splits share nothing, and
        for `hub`, which has no training text.

        Raises:
            MalformedRowError: a file is not what its name says.
        """
        return cls.of(paths(source))

    @classmethod
    def of(cls, files: Iterable[Path]) -> HeldOut:
        """All text of some of these files."""
        return cls(text for path in files for text in set(_texts(path)))

    def __contains__(self, text: str) -> bool:
        return _key(text) in self._keys

    def digest(self) -> str:
        """Equal for two sets of the same texts."""
        return blake2b(b"".join(sorted(self._keys)), digest_size=16).hexdigest()


def paths(source: DataSource) -> tuple[Path, ...]:
    """The files that are read, sorted."""
    if source.kind != "xtreme":
        return ()
    here = root(source)
    return tuple(
        path
        for path in sorted(files_below(here))
        if not _TRAINING_TEXT & set(path.relative_to(here).parts)
        and (path.suffix in _SUFFIXES or path.parent.name in _BY_LINE)
    )


def _key(text: str) -> bytes:
    """A digest of the letters and digits; empty where there are none."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    kept = normal.encode().translate(None, _OTHER_ASCII)
    if not kept.isascii():
        kept = _OTHER.sub("", kept.decode()).encode()
    return blake2b(kept, digest_size=8).digest() if kept else b""


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        yield from _strings(files.tree(path, path.parent.name, _LAYOUT))
        return
    lines = files.lines(path, path.parent.name, _LAYOUT)
    if path.suffix == ".jsonl":
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from _strings(parse(path, number, line))
    elif path.suffix == ".csv":
        try:
            for row in csv_reader(lines):
                yield from row
        except csv.Error as error:
            raise MalformedRowError(path, 1, f"not CSV: {error}") from None
    elif path.parent.name in _TAGGED:
        yield from _sentences(lines)
    else:
        for line in lines:
            yield from line.split("\t")


def _sentences(lines: list[str]) -> Iterator[str]:
    """Words of one sentence joined; a blank line ends it."""
    words: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            words.append(line.split("\t")[0])
        elif words:
            yield " ".join(words)
            words = []


def _strings(tree: Any) -> Iterator[str]:
    """Every string of a JSON tree; long ones, as the contexts of question answering, also by
    sentence."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
            yield from _SENTENCE.split(node)
        elif isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
