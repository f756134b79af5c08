"""What methods share that write peft's format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.family import Family

# peft's name of each format; it has none for choices. None is an encoder without a head.
TASKS: dict[str | None, str | None] = {
    "pair": "SEQ_CLS",
    "tagging": "TOKEN_CLS",
    "span": "QUESTION_ANS",
    "choice": None,
    "ranking": "FEATURE_EXTRACTION",
    None: "FEATURE_EXTRACTION",
}
_HEADED = ("pair", "tagging", "span", "choice")
_SAVED_BY_PEFT = {"classifier", "qa_outputs"}  # of its task types; it has none for choices


def heads(family: Family, model: Any, format: str | None) -> list[str] | None:
    """Modules that are trained and saved whole; None where peft knows them all.

    >>> heads(named("deberta-v2"), model, "pair")
    ['classifier', 'pooler']
    """
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    found = [name for name in family.heads if name in names] if format in _HEADED else []
    return found if format == "choice" or set(found) - _SAVED_BY_PEFT else None


def save(model: Any, out: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`."""
    model.save_pretrained(out, save_embedding_layers=False)
