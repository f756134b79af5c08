"""The tokenizer of a checkpoint or bundle, through `tokenizers` alone.

Evaluation runs the same tokenizer code over a torch checkpoint and over a bundle on a machine
that has no torch; so it opens `tokenizer.json` itself rather than through transformers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from evalsuite.cascade.packed_rows import MemberTokenizers
from evalsuite.cascade.rule import is_cascade, read_rule
from evalsuite.errors import ModelError
from evalsuite.opening.parsed import parsed
from evalsuite.opening.tokenizer import TOKENIZER, tokenizer_json
from evalsuite.opening.vocabulary import refuse_ids_without_rows

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


def load(directory: Path) -> Tokenizer:
    """Open `tokenizer.json`, padding and truncation off.

    Where a checkpoint has a SentencePiece model or another older file alone, transformers reads it.
    A cascade has the tokenizers of its members, which encode rows as one.

    Raises:
        ModelError: there is no tokenizer, it does not parse, or the model next to it has fewer
            embeddings than it has ids.
    """
    if is_cascade(directory):
        return _of_members(directory)
    text = tokenizer_json(directory)
    try:
        tokenizer = parsed(text)
    except Exception as error:
        raise ModelError(f"{directory / TOKENIZER} is not a tokenizer: {error}") from error
    refuse_ids_without_rows(directory, tokenizer)
    return tokenizer


def _of_members(directory: Path) -> Tokenizer:
    """The tokenizer of a cascade; of several, what encodes rows."""
    rule = read_rule(directory)
    if rule.one_tokenizer:
        return load(directory / rule.members[0].folder)
    tokenizers = [load(directory / member.folder) for member in rule.members]
    longest = [member.max_length for member in rule.members]
    return cast("Tokenizer", MemberTokenizers(tokenizers, longest))


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens that a tokenizer puts around one text and around two.

    Attributes:
        before, after: ids around one text.
        opening, between, closing: ids before the first of two texts, between both, and after the
            second.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    opening: tuple[int, ...]
    between: tuple[int, ...]
    closing: tuple[int, ...]


def template(tokenizer: Tokenizer) -> Template:
    """What the tokenizer's post-processor adds.

    XLM-R's makes `<s> a </s></s> b </s>`, BERT's `[CLS] a [SEP] b [SEP]`.

    Raises:
        ModelError: it does not put the first text before the second.
    """
    one, two = tokenizer.encode("a"), tokenizer.encode("a", "b")
    order = [side for side in two.sequence_ids if side is not None]
    if 0 not in one.sequence_ids or order != sorted(order) or set(order) != {0, 1}:
        raise ModelError(
            "the tokenizer does not put the first of two texts before the second; such tokenizers "
            "are not supported"
        )
    first, second = _inside(two, 0), _inside(two, 1)
    alone = _inside(one, 0)
    return Template(
        tuple(one.ids[: alone.start]),
        tuple(one.ids[alone.stop :]),
        tuple(two.ids[: first.start]),
        tuple(two.ids[first.stop : second.start]),
        tuple(two.ids[second.stop :]),
    )


def _inside(encoding: Encoding, side: int) -> range:
    """The places of a text's tokens."""
    places = [place for place, of in enumerate(encoding.sequence_ids) if of == side]
    return range(places[0], places[-1] + 1)


# What the tokenizers of the families call their special tokens.
_MASKS = ("<mask>", "[MASK]")
_SPECIAL = (*_MASKS, *("<s>", "<pad>", "</s>", "<unk>"), *("[CLS]", "[PAD]", "[SEP]", "[UNK]"))


def mask_id(tokenizer: Tokenizer) -> int:
    """The id of the token that stands for a masked one.

    Raises:
        ModelError: the vocabulary has none.
    """
    for token in _MASKS:
        if (number := tokenizer.token_to_id(token)) is not None:
            return int(number)
    raise ModelError(
        f"the tokenizer has no {' or '.join(_MASKS)}, which masked LM puts in the place of a piece"
    )


def special_ids(tokenizer: Tokenizer) -> set[int]:
    """Ids of all special tokens, whether or not they are listed as added ones."""
    added = {
        number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special
    }
    named = {tokenizer.token_to_id(token) for token in _SPECIAL}
    return added | {int(number) for number in named if number is not None}


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token.

    Raises:
        ModelError: the vocabulary has no such token, so it is not of XLM-R's layout.
    """
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ModelError(f"the tokenizer has no {token}; XLM-R's special tokens are needed")
    return int(number)


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of the piece that text without a piece gets; None where there is none."""
    name = getattr(tokenizer.model, "unk_token", None)  # a unigram model keeps it to itself
    ids = (tokenizer.token_to_id(token) for token in ([name] if name else ("<unk>", "[UNK]")))
    return next((id for id in ids if id is not None), None)


def pad_id(directory: Path) -> int:
    """The padding id of the checkpoint's or bundle's config (XLM-R: 1).

    Raises:
        ModelError: there is no config, or it names none.
    """
    from evalsuite.inference.checkpoint_config import model_config

    if not (directory / "config.json").is_file():
        raise ModelError(f"{directory} has no config.json, which names the padding piece; copy it")
    number = model_config(directory).get("pad_token_id", 1)
    if number is None:
        raise ModelError(
            f"{directory / 'config.json'} has no pad_token_id, the number of the padding piece; "
            "write it there (XLM-R: 1)"
        )
    return int(number)
