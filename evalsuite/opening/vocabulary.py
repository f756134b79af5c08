"""Hold a tokenizer against the embeddings of its model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.errors import ModelError
from evalsuite.inference.checkpoint_config import read_config

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def refuse_ids_without_rows(directory: Path, tokenizer: Tokenizer) -> None:
    """Raise ModelError where the tokenizer gives ids that the embeddings have no rows for.

    Rows without an id are fine: many models pad their embeddings to a round number. A directory
    without a config holds a tokenizer alone.
    """
    if not (directory / "config.json").is_file():
        return
    rows = read_config(directory).get("vocab_size")
    if rows is None:
        return
    last = last_id(tokenizer)
    if last >= rows:
        raise ModelError(
            f"{directory}: the tokenizer has ids up to {last:,} ({tokenizer.id_to_token(last)}), "
            f"but the embeddings have {rows:,} rows (vocab_size in config.json)\n"
            f"widen them once: model.resize_token_embeddings({last + 1}), then save_pretrained; "
            "or use the tokenizer that the model was trained with"
        )


def last_id(tokenizer: Tokenizer) -> int:
    """The largest id of a token."""
    added = max(tokenizer.get_added_tokens_decoder(), default=-1)
    if type(tokenizer.model).__name__ == "Unigram":  # its ids have no gaps
        return max(added, tokenizer.get_vocab_size(with_added_tokens=False) - 1)
    return max(added, *tokenizer.get_vocab(with_added_tokens=False).values(), -1)
