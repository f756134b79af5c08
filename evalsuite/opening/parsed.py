"""Tokenizers that were parsed in this process.

Parsing a vocabulary of 250,002 pieces takes 1.8 s, and one run opens the same tokenizer many times.
The last few are kept. A copy shares what was parsed, and can have another truncation and padding.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KEPT = 2  # a teacher's and a student's

_parsed: OrderedDict[bytes, Tokenizer] = OrderedDict()


def parsed(text: str) -> Tokenizer:
    """An independent tokenizer, without truncation and padding.

    Args:
        text: of a `tokenizer.json`.

    Raises:
        Exception: what `tokenizers` raises where the text is not a tokenizer.
    """
    key = hashlib.blake2b(text.encode(), digest_size=16).digest()
    tokenizer = _parsed.pop(key, None)  # put back as the newest
    if tokenizer is None:
        tokenizer = _parse(text)
    _parsed[key] = tokenizer
    while len(_parsed) > KEPT:
        _parsed.popitem(last=False)
    return _copy(tokenizer)


def forget() -> None:
    """Parse each tokenizer anew, as for a measurement of what opening it costs."""
    _parsed.clear()


def _parse(text: str) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _copy(tokenizer: Tokenizer) -> Tokenizer:
    from tokenizers import Tokenizer

    copy = Tokenizer(tokenizer.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        if (value := getattr(tokenizer, part)) is not None:
            setattr(copy, part, value)
    added = tokenizer.get_added_tokens_decoder()
    copy.add_tokens([added[number] for number in sorted(added)])
    copy.encode_special_tokens = tokenizer.encode_special_tokens
    return copy
