"""CCG: the supertag of each word, a category of Combinatory Categorial Grammar; read from CCGbank.

>>> task = TASK.labelled(DataSource("xtreme", Path("data")))
>>> len(task.labels)
426
>>> task.load(DataSource("xtreme", Path("data")), "dev", "en")[0].tags[:3]
('N/N', 'N', ',')

CCGbank is the Linguistic Data Consortium's and may not be passed on, so there is no hub copy: the
directory needs one's own. Read are its `.auto` files, sections 02 to 21 to train on, 00 for dev and
23 for test, or one file a split of words as `word|POS|category`, separated by spaces.

The label set is read from the training rows: the categories seen ten times or more (425 in CCGbank
1.1, as is usual since Clark & Curran 2007) and `unknown`, which the other words are trained on. Dev
rows keep the categories they have, so for such a word nothing is right. Phang et al. 2020
(arXiv:2005.13013), whose intermediate task this is, keep all 1,363.

Source: Hockenmaier & Steedman 2007, LDC2005T13.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from evalsuite.data import files
from evalsuite.data.mistaken import is_there
from evalsuite.data.sourced import EnglishTask, root
from evalsuite.data.tagging import TaggingTask
from evalsuite.errors import MalformedRowError
from evalsuite.task import DataSource, Example, Split, TagExample, Task

UNKNOWN = "unknown"
LEAST = 10  # times a category is seen in training to be a label
_SECTIONS: dict[Split, range] = {"train": range(2, 22), "dev": range(1), "test": range(23, 24)}
_FOLDERS = ("AUTO", "data/AUTO", "ccgbank_1_1/data/AUTO")
# (<L category modified-POS original-POS word predicate-argument-category>)
_LEAF = re.compile(r"\(<L ([^ <>]+) [^ <>]+ [^ <>]+ (\S+) [^ ]+>\)")


class Sentence(NamedTuple):
    """Words and the category of each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


class Ccg(EnglishTask, TaggingTask):
    """The supertagging task; `labelled` gives it the labels of one's own files."""

    name = "ccg"
    title = "CCG supertagging"
    labels: tuple[str, ...] = (UNKNOWN,)
    metric = "token_accuracy"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        split: (f"ccg/{split}-en.stagged", f"ccg/{split}-en.auto") for split in _SECTIONS
    }
    layout = (
        "ccg/[data/]AUTO/<section>/wsj_*.auto of CCGbank 1.1, "
        "or ccg/train-en.auto, ccg/dev-en.auto, or .stagged (word|POS|category)"
    )
    licence = "LDC user agreement; not redistributable"
    citation = "Hockenmaier & Steedman 2007, CCGbank: A Corpus of CCG Derivations"
    url = "https://catalog.ldc.upenn.edu/LDC2005T13"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        own = super().files(source, split, language)
        if not own or is_there(own[0]):
            return own
        for folder in _FOLDERS:
            sections = [root(source) / f"ccg/{folder}/{n:02}" for n in _SECTIONS[split]]
            if found := sorted(path for here in sections for path in here.glob("*.auto")):
                return tuple(found)
        return own

    def labelled(self, source: DataSource) -> Task:
        """Reads the training rows; itself where there are none, or where it has its labels."""
        if self.labels != Ccg.labels or not self.available(source, "train"):
            return self
        labels = (UNKNOWN, *_frequent(self._sentences(source)))
        found: Task = type("Ccg", (Ccg,), {"labels": labels})()
        return found

    def _sentences(self, source: DataSource) -> list[Sentence]:
        paths = self.files(source, "train", "en")
        return [sentence for path in paths for sentence in self._of(path, "train")]

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        found = [sentence for path in paths for sentence in self._of(path, split)]
        known = set(_frequent(found)) if split == "train" else {t for s in found for t in s.tags}
        return [
            TagExample(
                f"{split}-{language}-{number}",
                words,
                tuple(tag if tag in known else UNKNOWN for tag in tags),
            )
            for number, (words, tags) in enumerate(found)
        ]

    def _of(self, path: Path, split: Split) -> Iterator[Sentence]:
        lines = files.lines(path, self.what(split, "en"), self.layout)
        parse = _derivation if path.suffix == ".auto" else _tagged
        for number, line in enumerate(lines, 1):
            if line.strip() and not (path.suffix == ".auto" and line.startswith("ID=")):
                yield parse(path, number, line)


def _frequent(sentences: Sequence[Sentence]) -> list[str]:
    """Categories seen often enough, in alphabetical order."""
    seen = Counter(tag for sentence in sentences for tag in sentence.tags)
    return sorted(tag for tag, count in seen.items() if count >= LEAST)


def _derivation(path: Path, line: int, text: str) -> Sentence:
    """A tree of an `.auto` file, its leaves from left to right."""
    leaves = _LEAF.findall(text)
    if not leaves or len(leaves) != text.count("(<L "):
        raise MalformedRowError(
            path,
            line,
            f"no tree of leaves (<L category POS POS word category>): {text:.60}",
        )
    return Sentence(tuple(word for _, word in leaves), tuple(tag for tag, _ in leaves))


def _tagged(path: Path, line: int, text: str) -> Sentence:
    """A line of `word|POS|category` items."""
    items = [item.rsplit("|", 2) for item in text.split()]
    for item in items:
        if len(item) != 3 or not all(item):
            raise MalformedRowError(path, line, f"{'|'.join(item)!r} is not word|POS|category")
    return Sentence(tuple(item[0] for item in items), tuple(item[2] for item in items))


TASK = Ccg()
