"""How the tags of a task mark chunks, and the same tags as chunks are counted.

>>> scheme_of(("O", "B-PER", "I-PER")), scheme_of(("O", "U-PER")), scheme_of(("O", "PER"))
('iob', 'bilou', 'plain')
>>> marked("bilou", ["U-PER", "L-LOC"]), marked("plain", ["PER", "O"])
(['S-PER', 'E-LOC'], ['I-PER', 'O'])

`iob` is IOB1, IOB2 and BIOES (IOBES), which seqeval's default mode reads alike. Plain tags have no
position: adjacent words with the same tag are one chunk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalsuite.task import Scheme

OUTSIDE = "O"
_BILOU = {"L": "E", "U": "S"}
_POSITION = re.compile(r"[BIESLU]-.+")


def scheme_of(labels: Sequence[str]) -> Scheme:
    """The scheme that all tags but `O` fit."""
    tags = [label for label in labels if label != OUTSIDE]
    if not all(map(_POSITION.fullmatch, tags)):
        return "plain"
    return "bilou" if any(tag[0] in _BILOU for tag in tags) else "iob"


def marked(scheme: Scheme | None, tags: Sequence[str]) -> Sequence[str]:
    """Tags whose first letter is a position that seqeval knows; None: they are that already."""
    if scheme == "bilou":
        return [_BILOU.get(tag[0], tag[0]) + tag[1:] for tag in tags]
    if scheme == "plain":
        return [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
    return tags
