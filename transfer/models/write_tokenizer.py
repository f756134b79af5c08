"""Write a tokenizer that is not a copy of a file, with what transformers has to know about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.opening.tokenizer import tokenizer_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def write_tokenizer(
    tokenizer: Tokenizer, source: Path, out: Path, max_length: int | None = None
) -> None:
    """Write `tokenizer.json` and a config that makes `AutoTokenizer` read exactly that file.

    transformers' class for the model type would make the parts around the vocabulary anew.

    Args:
        source: the checkpoint, whose special tokens have the same names.
        max_length: tokens of the longest sequence; default: what the source says.
    """
    before = tokenizer_of(source)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)  # half the bytes
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": before.model_max_length if max_length is None else max_length,
        **before.special_tokens_map,
        "model_input_names": before.model_input_names,
        "padding_side": before.padding_side,
        "truncation_side": before.truncation_side,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
