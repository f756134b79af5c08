"""The word embeddings `extend` starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.errors import ModelError
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.text import lexical_init
from transfer.text.parallel_text import ranks
from transfer.text.vocabulary import CASE_MARK

_SPECIAL = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
_PAIRS = 15_000  # a language


def refuse_unknown_tokens(tokenizer: Any, name: str) -> None:
    """Refuse an encoder whose tokenizer lacks a special token of BERT.

    Args:
        tokenizer: of the English encoder.
        name: of its directory, for the message.

    Raises:
        ModelError: it does; its row would be the start of the new special token's.
    """
    lacking = [token for token in _SPECIAL.values() if tokenizer.token_to_id(token) is None]
    if lacking:
        raise ModelError(
            f"the tokenizer of {name} has no {', '.join(lacking)}; "
            "extend needs an English BERT with its own WordPiece tokenizer"
        )


def embeddings(
    original: Any, old: Any, new: Any, corpus: Corpus, options: Options
) -> npt.NDArray[np.float32]:
    """Word embeddings of the new vocabulary, fp32 `[vocabulary, width]`.

    Args:
        original: the English encoder.
        old, new: its tokenizer, and the multilingual one.
    """
    rows: np.ndarray = original.get_input_embeddings().weight.detach().numpy()
    size = new.get_vocab_size()
    if options.lexical:
        places = ranks([corpus.text.pairs[i][0] for i in corpus.train])
        chosen = [i for i, place in zip(corpus.train, places, strict=True) if place < _PAIRS]
        encoded = old.encode_batch(
            [corpus.text.pairs[i][2] for i in chosen], add_special_tokens=False
        )
        fold = _folded(old, new)
        pairs = [
            (corpus.text.pairs[i][0], fold[corpus.foreign[i]].tolist(), encoding.ids)
            for i, encoding in zip(chosen, encoded, strict=True)
        ]
        used = np.zeros(size, dtype=np.int64)
        for i in chosen:
            used[np.unique(fold[corpus.english[i]])] += 1
        own = {
            int(piece): (spelling(new.id_to_token(int(piece)), old), int(used[piece]))
            for piece in np.flatnonzero(used)
        }
        table = lexical_init.across(pairs, rows, own, size)[fold]
    else:
        table = np.random.default_rng(options.settings.seed).normal(
            rows.mean(), rows.std(), (size, rows.shape[1])
        )
    mark = new.token_to_id("▁" + CASE_MARK)
    if mark is not None:
        table[mark] = rows.mean(0)  # says nothing yet
    for ours, theirs in _SPECIAL.items():
        table[new.token_to_id(ours)] = rows[old.token_to_id(theirs)]
    return table.astype(np.float32)


def _folded(old: Any, new: Any) -> npt.NDArray[np.int64]:
    """For each new piece the one whose row it starts from, `[vocabulary]`.

    Where English was read without case, `Paris` and `paris` are the same English piece, so what is
    known of both is put together.
    """
    size = new.get_vocab_size()
    if old.encode("A").ids != old.encode("a").ids:
        return np.arange(size)
    first: dict[str, int] = {}
    return np.array([first.setdefault(new.id_to_token(i).lower(), i) for i in range(size)])


def spelling(piece: str, tokenizer: Any) -> list[int]:
    """WordPiece ids that spell a unigram piece: `▁word` starts a word, `ing` goes on with one."""
    if not piece.startswith("▁"):
        inside = tokenizer.token_to_id("##" + piece)
        if inside is not None:
            return [int(inside)]
    ids = tokenizer.encode(piece.replace("▁", " "), add_special_tokens=False).ids
    return [int(i) for i in ids] or [int(tokenizer.token_to_id("[UNK]"))]
