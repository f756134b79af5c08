"""The tokenizer of a checkpoint or bundle, through `tokenizers` alone.

Evaluation runs the same tokenizer code over a torch checkpoint and over a bundle on a machine
that has no torch; so it opens `tokenizer.json` itself rather than through transformers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def load(directory: Path) -> Tokenizer:
    """Open `tokenizer.json`, padding and truncation off.

    Raises:
        ModelError: there is no `tokenizer.json`, or it does not parse.
    """
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise ModelError(
            f"{directory} has no tokenizer.json; write one with: "
            'python -c "from transformers import AutoTokenizer; '
            f"AutoTokenizer.from_pretrained('{directory}').save_pretrained('{directory}')\""
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelError(f"{path} is not a tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token.

    Raises:
        ModelError: the vocabulary has no such token, so it is not of XLM-R's layout.
    """
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ModelError(f"the tokenizer has no {token}; XLM-R's special tokens are needed")
    return int(number)


def pad_id(directory: Path) -> int:
    """The padding id of the checkpoint's or bundle's config (XLM-R: 1).

    Raises:
        ModelError: there is no config.
    """
    from evalsuite.inference.checkpoint_config import model_config

    if not (directory / "config.json").is_file():
        raise ModelError(f"{directory} has no config.json, which names the padding piece; copy it")
    return int(model_config(directory).get("pad_token_id", 1))
