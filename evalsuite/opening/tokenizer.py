"""The tokenizer of a local checkpoint as transformers reads it.

Most of this project reads `tokenizer.json` itself (`evalsuite.tokenization`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError


def tokenizer_of(directory: Path) -> Any:
    """`AutoTokenizer.from_pretrained`, without code of the checkpoint.

    Raises:
        ModelError: transformers cannot read it.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # of any kind: little of the files is checked
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"the tokenizer of {directory} does not open: {reason}") from error
