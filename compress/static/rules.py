"""How wide a static model can be; imports nothing heavy.

>>> width_problem(100_000, hidden=384, pieces=250_002)
'width: 100000: the encoder is 384 wide; give at most that'
"""

from __future__ import annotations


def width_problem(width: int, hidden: int, pieces: int) -> str | None:
    """What is wrong with the width; None where nothing is.

    Args:
        hidden: the encoder's width.
        pieces: of its vocabulary.
    """
    if width > hidden:
        return f"width: {width}: the encoder is {hidden} wide; give at most that"
    if width > pieces:
        return f"width: {width}: the encoder has {pieces} pieces; give at most that"
    return None
