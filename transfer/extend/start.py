"""The word embeddings `extend` starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from transfer import lexical
from transfer.extend.corpus import Corpus
from transfer.extend.options import Options
from transfer.text import ranks

_SPECIAL = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
_PAIRS = 15_000  # a language


def embeddings(original: Any, old: Any, new: Any, corpus: Corpus, options: Options) -> np.ndarray:
    """Word embeddings of the new vocabulary, fp32 `[vocabulary, width]`.

    Args:
        original: the English encoder.
        old, new: its tokenizer, and the multilingual one.
    """
    rows = original.get_input_embeddings().weight.detach().numpy()
    size = new.get_vocab_size()
    if options.lexical:
        places = ranks([corpus.text.pairs[i][0] for i in corpus.train])
        chosen = [i for i, place in zip(corpus.train, places, strict=True) if place < _PAIRS]
        encoded = old.encode_batch(
            [corpus.text.pairs[i][2] for i in chosen], add_special_tokens=False
        )
        pairs = [
            (corpus.text.pairs[i][0], corpus.foreign[i], encoding.ids)
            for i, encoding in zip(chosen, encoded, strict=True)
        ]
        used = np.zeros(size, dtype=np.int64)
        for i in chosen:
            used[np.unique(corpus.english[i])] += 1
        own = {
            int(piece): (spelling(new.id_to_token(int(piece)), old), int(used[piece]))
            for piece in np.flatnonzero(used)
        }
        table = lexical.across(pairs, rows, own, size)
    else:
        table = np.random.default_rng(options.settings.seed).normal(
            rows.mean(), rows.std(), (size, rows.shape[1])
        )
    for ours, theirs in _SPECIAL.items():
        table[new.token_to_id(ours)] = rows[old.token_to_id(theirs)]
    return table.astype(np.float32)


def spelling(piece: str, tokenizer: Any) -> list[int]:
    """WordPiece ids that spell a unigram piece: `▁word` starts a word, `ing` goes on with one."""
    if not piece.startswith("▁"):
        inside = tokenizer.token_to_id("##" + piece)
        if inside is not None:
            return [int(inside)]
    ids = tokenizer.encode(piece.replace("▁", " "), add_special_tokens=False).ids
    return [int(i) for i in ids] or [int(tokenizer.token_to_id("[UNK]"))]
