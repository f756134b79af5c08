"""What a trim does to how the text of each language is split, kept languages and others.

>>> own = compare(tokenizer, trimmed, ["Ein Haus.", "Zwei Häuser."])
>>> own.alike_percent, own.tokens
(50.0, (9, 12))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.tokenization import unknown_id

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SAMPLE = 1000  # lines a language that are split both ways


@dataclass(frozen=True, slots=True)
class Split:
    """Some lines of a language, split by two vocabularies; pairs are before and after."""

    lines: int
    alike: int  # of these, lines split into the same pieces
    tokens: tuple[int, int]
    unknown: tuple[int, int]  # of these, tokens without a piece

    @property
    def alike_percent(self) -> float:
        """Share of lines that are split as before."""
        return 100.0 * self.alike / max(self.lines, 1)

    @property
    def tokens_a_line(self) -> tuple[float, float]:
        """Tokens without the special ones."""
        before, after = (count / max(self.lines, 1) for count in self.tokens)
        return before, after

    @property
    def unknown_percent(self) -> tuple[float, float]:
        """Share of tokens without a piece."""
        before, after = (
            100.0 * strange / max(count, 1)
            for strange, count in zip(self.unknown, self.tokens, strict=True)
        )
        return before, after

    def described(self) -> str:
        """`40.0% split alike, 9.1 to 14.2 tokens, 3.1% unknown`."""
        before, after = self.tokens_a_line
        return (
            f"{self.alike_percent:.1f}% split alike, {before:.1f} to {after:.1f} tokens, "
            f"{self.unknown_percent[1]:.1f}% unknown"
        )


class Sample:
    """A fair sample of lines that are read once for something else (Vitter 1985, algorithm R)."""

    def __init__(self, size: int = SAMPLE) -> None:
        self.lines: list[str] = []
        self._size, self._seen, self._random = size, 0, Random(0)

    def watch(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines as they are, each with the same chance of being kept."""
        for line in lines:
            self._seen += 1
            if len(self.lines) < self._size:
                self.lines.append(line)
            elif (place := self._random.randrange(self._seen)) < self._size:
                self.lines[place] = line
            yield line


def compare(before: Tokenizer, after: Tokenizer, lines: Sequence[str]) -> Split:
    """Split the same lines by both."""
    found = [
        tokenizer.encode_batch(list(lines), add_special_tokens=False)
        for tokenizer in (before, after)
    ]
    unknown = [unknown_id(tokenizer) for tokenizer in (before, after)]
    counts = [sum(len(own.ids) for own in encodings) for encodings in found]
    strange = [
        sum(own.ids.count(id) for own in encodings) if id is not None else 0
        for encodings, id in zip(found, unknown, strict=True)
    ]
    marked = [
        [[(token, i == id) for token, i in zip(own.tokens, own.ids, strict=True)] for own in each]
        for each, id in zip(found, unknown, strict=True)
    ]  # an unknown piece is written as the text it stands for
    alike = sum(one == other for one, other in zip(*marked, strict=True))
    return Split(len(lines), alike, (counts[0], counts[1]), (strange[0], strange[1]))


def table(languages: Mapping[str, Any]) -> Table:
    """One row a language: those that are kept first, then the others from the worst.

    Args:
        languages: code -> `Coverage` of `compress.trim.trim`.
    """
    columns = (
        Column("Kept", numeric=False),
        Column("Pieces kept", "of what occurs, %"),
        Column("Split as before", "% of sentences"),
        Column("Tokens", "a sentence, before"),
        Column("Tokens", "after"),
        Column("Unknown", "% of tokens, before"),
        Column("Unknown", "after"),
    )
    order = sorted(languages, key=lambda code: (not languages[code].wanted, _rank(languages, code)))
    return Table("Language", columns, tuple(_row(code, languages[code]) for code in order))


def _rank(languages: Mapping[str, Any], code: str) -> tuple[float, str]:
    own = languages[code]
    return (0.0 if own.wanted else own.split.alike_percent, code)


def _row(code: str, own: Any) -> Row:
    numbers = (
        f"{own.percent:.2f}",
        f"{own.split.alike_percent:.1f}",
        *(f"{count:.1f}" for count in own.split.tokens_a_line),
        *(f"{share:.2f}" for share in own.split.unknown_percent),
    )
    kept = Cell("yes" if own.wanted else "no")
    return Row(Cell(code), (kept, *(Cell(text) for text in numbers)))
