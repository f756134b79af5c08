"""Which pieces of a unigram vocabulary are kept, and the tokenizer without the others.

>>> keep = choose({"de": Counter({7: 900, 8: 99, 9: 1})}, coverage=0.99)
>>> sorted(keep)
[7, 8]

A unigram model (Kudo 2018) splits text into the pieces of the highest sum of scores. Taking away
pieces that a text does not use only takes away competitors, so the text is split as before; that
is what makes such a vocabulary the cheapest part of a multilingual model to cut.
"""

from __future__ import annotations

import copy
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from compress.errors import TrimError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH = 1000
_SCRIPT_SHARE = 0.01  # of a language's letters: a script it is written in


def count(tokenizer: Tokenizer, lines: Iterable[str]) -> tuple[Counter[int], Counter[str]]:
    """How often each piece occurs in the lines, by id; and each character."""
    pieces: Counter[int] = Counter()
    characters: Counter[str] = Counter()
    rest = iter(lines)
    while batch := list(islice(rest, _BATCH)):
        for line in batch:
            characters.update(line)
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            pieces.update(encoding.ids)
    return pieces, characters


def choose(
    counts: Mapping[str, Counter[int]], *, coverage: float = 1.0, min_count: int = 1
) -> set[int]:
    """The most frequent pieces of each language that make up `coverage` of what occurs in its text.

    Args:
        coverage: share of occurrences, 0 to 1; 1 keeps all that occur.
        min_count: pieces rarer than that in a language are not kept for its sake.
    """
    kept: set[int] = set()
    for own in counts.values():
        wanted = coverage * own.total()
        reached = 0
        for piece, times in sorted(own.items(), key=lambda item: (-item[1], item[0])):
            if reached >= wanted or times < min_count:
                break
            kept.add(piece)
            reached += times
    return kept


def scripts(characters: Counter[str]) -> set[str]:
    """Scripts of at least one letter in a hundred, as the first words of Unicode names."""
    found: Counter[str] = Counter()
    for character, times in characters.items():
        if unicodedata.category(character)[0] == "L":
            found[script(character)] += times
    return {name for name, times in found.items() if times >= _SCRIPT_SHARE * found.total()}


def script(character: str) -> str:
    """`LATIN`, `CJK`, `HANGUL`; empty for a character without a name."""
    return unicodedata.name(character, "").split(" ")[0]


def always(tokenizer: Mapping[str, Any], written_in: set[str]) -> set[int]:
    """Ids no text decides over: special tokens, bytes, and single characters.

    Of these all that are no letters, and all letters of the scripts: a text of a kept language
    then meets no unknown character for being other than the text that was counted.

    Args:
        tokenizer: what `tokenizer.json` holds.
    """
    vocabulary = pieces_of(tokenizer)
    kept = {added["id"] for added in tokenizer.get("added_tokens") or ()}
    kept.add(tokenizer["model"]["unk_id"])
    kept |= set(_processor_ids(tokenizer.get("post_processor")))
    # The price of an unknown character hangs on the lowest score there is.
    kept.add(min(range(len(vocabulary)), key=lambda id: vocabulary[id][1]))
    for id, (piece, score) in enumerate(vocabulary):
        plain = piece.removeprefix("▁")
        if score == 0 or (piece.startswith("<0x") and len(piece) == 6) or not plain:
            kept.add(id)  # controls and padding score nothing
        elif len(plain) == 1:
            own = script(plain) if unicodedata.category(plain)[0] in "LM" else ""
            if own in ("", "COMBINING") or own in written_in:
                kept.add(id)
    return kept


def cut(tokenizer: Mapping[str, Any], keep: Iterable[int]) -> tuple[dict[str, Any], list[int]]:
    """The tokenizer with these pieces alone, in their old order; the old id of each new one.

    Raises:
        TrimError: it is not a unigram model, or its parts hold ids in a way not known here.
    """
    vocabulary = pieces_of(tokenizer)
    added = sorted(token["id"] for token in tokenizer.get("added_tokens") or ())
    outside = [id for id in added if id >= len(vocabulary)]  # XLM-R's <mask> in some files
    old = [*sorted(id for id in set(keep) if id < len(vocabulary)), *outside]
    new = {id: number for number, id in enumerate(old)}
    found: dict[str, Any] = copy.deepcopy(
        {key: value for key, value in tokenizer.items() if key != "model"}
    )
    model = {key: value for key, value in tokenizer["model"].items() if key != "vocab"}
    model["vocab"] = [vocabulary[id] for id in old if id < len(vocabulary)]
    model["unk_id"] = new[tokenizer["model"]["unk_id"]]
    found["model"] = model
    for token in found.get("added_tokens") or ():
        token["id"] = new[token["id"]]
    if found.get("padding"):
        found["padding"]["pad_id"] = new[found["padding"]["pad_id"]]
    for processor in _processors(found.get("post_processor")):
        for name in ("sep", "cls"):
            if name in processor:
                processor[name] = [processor[name][0], new[processor[name][1]]]
        for special in processor.get("special_tokens", {}).values():
            special["ids"] = [new[id] for id in special["ids"]]
    return found, old


def pieces_of(tokenizer: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
    """Piece and score by id.

    Raises:
        TrimError: it is not a unigram model.
    """
    model = tokenizer.get("model") or {}
    kind = model.get("type") or ("Unigram" if "unk_id" in model else "unknown")
    if kind != "Unigram":
        raise TrimError(
            f"the tokenizer is a {kind} model; trim cuts unigram vocabularies (XLM-R's kind), "
            "where a piece can go without changing how other text is split"
        )
    vocabulary: Sequence[tuple[str, float]] = model["vocab"]
    return vocabulary


def _processors(processor: Any) -> Iterator[dict[str, Any]]:
    """The post-processor, or those it is a sequence of."""
    if not processor:
        return
    if processor["type"] == "Sequence":
        for part in processor["processors"]:
            yield from _processors(part)
    elif processor["type"] in ("TemplateProcessing", "RobertaProcessing", "BertProcessing"):
        yield processor
    elif processor["type"] != "ByteLevel":
        raise TrimError(f"the tokenizer has a {processor['type']} post-processor, not known here")


def _processor_ids(processor: Any) -> Iterator[int]:
    for part in _processors(processor):
        for name in ("sep", "cls"):
            if name in part:
                yield part[name][1]
        for special in part.get("special_tokens", {}).values():
            yield from special["ids"]
