"""The text of streamed rows, kept next to their token ids, for teachers that read text.

>>> texts = tokenize(stream, KeptText(tokenizer), max_length=96, source=source)
>>> text_of(texts.plan(alpha=0.3, batch_size=32, steps=100, seed=1).ids(17))
'Hatua ya kwanza'

The bytes of a row are written as if they were its token ids, by the code that writes token ids. So
the rows and their order are the same as of the corpus of token ids, and memory is bounded alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class _Row:
    ids: np.ndarray


class KeptText:
    """Stands for a tokenizer whose ids of a text are its bytes in UTF-8.

    A text is cut where the ids of the tokenizer are cut, so a teacher reads as much as its student.

    Args:
        tokenizer: of `tokenizers`, of the student.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def no_padding(self) -> None:
        """As of the tokenizer."""
        self.tokenizer.no_padding()

    def enable_truncation(self, max_length: int) -> None:
        """As of the tokenizer: `max_length` is in its tokens."""
        self.tokenizer.enable_truncation(max_length)

    def to_str(self) -> str:
        """What decides the bytes of a text."""
        return f"UTF-8 of {self.tokenizer.to_str()}"

    def get_vocab_size(self) -> int:
        """Values of a byte."""
        return 256

    def encode_batch_fast(self, texts: Sequence[str]) -> list[_Row]:
        """The bytes of each text, as `ids`."""
        encoded = self.tokenizer.encode_batch(list(texts))
        return [
            _Row(np.frombuffer(_cut(text, encoding).encode(), dtype=np.uint8))
            for text, encoding in zip(texts, encoded, strict=True)
        ]


def _cut(text: str, encoding: Any) -> str:
    if not encoding.overflowing:
        return text
    return text[: max(end for _, end in encoding.offsets)]


def text_of(ids: Sequence[int]) -> str:
    """The text of a row.

    >>> text_of([90, 195, 188])
    'Zü'
    """
    return bytes(ids).decode()
