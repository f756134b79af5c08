"""Parts of `tokenizer.json`, and the file without some pieces.

>>> tree = read(text, tokenizer)
>>> small, old = cut(KINDS.get("unigram"), tree, keep)
>>> Tokenizer.from_str(json.dumps(small)).get_vocab_size() == len(old)
True
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from compress.errors import TrimError
from compress.trim.vocabulary_kind import VocabularyKind

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WITH_IDS = ("TemplateProcessing", "RobertaProcessing", "BertProcessing")


def read(text: str, tokenizer: Tokenizer) -> dict[str, Any]:
    """The file as a mapping.

    Added tokens have the ids they get when it is opened; those in the file are not read.

    Args:
        text: of the file.
        tokenizer: the same, opened.
    """
    tree: dict[str, Any] = json.loads(text)
    for token in tree.get("added_tokens") or ():
        token["id"] = tokenizer.token_to_id(token["content"])
    return tree


def named_ids(tree: Mapping[str, Any]) -> set[int]:
    """Ids that are written in other parts than the vocabulary.

    Raises:
        TrimError: a part holds ids in a way not known here.
    """
    found = {token["id"] for token in tree.get("added_tokens") or ()}
    if padding := tree.get("padding"):
        found.add(padding["pad_id"])
    for part in _processors(tree.get("post_processor")):
        found |= {part[name][1] for name in ("sep", "cls") if name in part}
        for special in part.get("special_tokens", {}).values():
            found |= set(special["ids"])
    return found


def has_byte_level(tree: Mapping[str, Any]) -> bool:
    """Whether text becomes bytes, each written as a character, before it is split."""
    return any(_is_byte_level(tree.get(part)) for part in ("normalizer", "pre_tokenizer"))


def _is_byte_level(part: Any) -> bool:
    if not part:
        return False
    inner = part.get("normalizers") or part.get("pretokenizers") or ()
    return part["type"] == "ByteLevel" or any(map(_is_byte_level, inner))


def cut(
    kind: VocabularyKind, tree: Mapping[str, Any], keep: Iterable[int]
) -> tuple[dict[str, Any], list[int]]:
    """The tokenizer with these pieces alone, in their old order; the old id of each new one.

    Added tokens that are no pieces of the model stay too, after its pieces, as the `tokenizers`
    library numbers them.

    Raises:
        TrimError: its parts hold ids in a way not known here, or ids that are none.
    """
    inside = kind.pieces(tree["model"])
    added = {token["id"] for token in tree.get("added_tokens") or ()}
    wanted = set(keep)
    old = [id for id in inside if id in wanted] + sorted(added - inside.keys())
    new = {id: number for number, id in enumerate(old)}
    if unknown := named_ids(tree) - new.keys():
        raise TrimError(
            f"the tokenizer's parts name ids that it has no piece for: {sorted(unknown)}; use the "
            "tokenizer that the model was trained with"
        )
    found: dict[str, Any] = copy.deepcopy({k: v for k, v in tree.items() if k != "model"})
    found["model"] = kind.cut(tree["model"], new)
    for token in found.get("added_tokens") or ():
        token["id"] = new[token["id"]]
    if found.get("added_tokens"):
        found["added_tokens"].sort(key=lambda token: token["id"])
    if found.get("padding"):
        found["padding"]["pad_id"] = new[found["padding"]["pad_id"]]
    for processor in _processors(found.get("post_processor")):
        for name in ("sep", "cls"):
            if name in processor:
                processor[name] = [processor[name][0], new[processor[name][1]]]
        for special in processor.get("special_tokens", {}).values():
            special["ids"] = [new[id] for id in special["ids"]]
    return found, old


def _processors(processor: Any) -> Iterator[dict[str, Any]]:
    """The post-processor, or those it is a sequence of."""
    if not processor:
        return
    if processor["type"] == "Sequence":
        for part in processor["processors"]:
            yield from _processors(part)
    elif processor["type"] in _WITH_IDS:
        yield processor
    elif processor["type"] != "ByteLevel":
        raise TrimError(f"the tokenizer has a {processor['type']} post-processor, not known here")
