"""What a program in JavaScript has to know of a bundle to answer as Python does.

>>> settings_of(Path("int8"))["template"]["before"]
[0]
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from compress.export.layouts import transformers_js
from evalsuite import tokenization
from evalsuite.formats import tagging
from evalsuite.inference.checkpoint_config import answers_of, head_of, model_config
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.runtimes._bundle import read_card


def settings_of(bundle: Path) -> dict[str, Any]:
    """Head, labels, special tokens, longest input, and how vectors are made, for JSON.

    Raises:
        ModelError: its files are damaged.
    """
    card = read_card(bundle) or {}
    config = model_config(bundle)
    declared = declared_by(bundle)
    head = head_of(config) if card["labels"] else None
    longest = card["max_length"]
    if head is None:
        longest = min(longest, declared.longest or longest)
    return {
        "head": head,
        "answers": answers_of(config),
        "labels": card["labels"],
        "missing": tagging.fallback(card["labels"]) if head == "tagging" else "",
        "maxLength": longest,
        "dtype": transformers_js.type_of(card["precision"]),
        "precision": card["precision"],
        "template": asdict(tokenization.template(tokenization.load(bundle))),
        "pooling": declared.pooling,
        "prefix": declared.prefix,
    }
