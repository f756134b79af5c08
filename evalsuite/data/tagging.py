"""One tag a word: what UD-POS and PAN-X share.

Karibu TAB INTJ
tena TAB ADV
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from evalsuite.data import files
from evalsuite.data.hub import Row
from evalsuite.data.sourced import SourcedTask
from evalsuite.errors import DataError
from evalsuite.task import Example, Format, Split, TagExample


class TaggingTask(SourcedTask):
    """Words and their tags. `tag_column` is the name the hub data set gives the tags."""

    format: Format = "tagging"
    metric: str = "chunk_f1"
    columns: ClassVar[int] = 2
    tag_column: ClassVar[str]

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        (path,) = paths
        sentences = files.tagged(
            path, self.what(split, language), self.layout, self.labels, hidden=split == "test"
        )
        return [
            TagExample(f"{split}-{language}-{number}", sentence.words, sentence.tags)
            for number, sentence in enumerate(sentences)
        ]

    def from_row(self, row: Row, id: str) -> Example | None:
        tags = [
            self.labels[tag] if isinstance(tag, int) and 0 <= tag < len(self.labels) else tag
            for tag in row[self.tag_column]
        ]
        if strange := {str(tag) for tag in tags} - set(self.labels):
            raise DataError(
                f"{self.name} {id}: unknown tag {', '.join(sorted(strange))}; "
                f"allowed: {' '.join(self.labels)}"
            )
        return TagExample(id, tuple(row["tokens"]), tuple(tags)) if tags else None
