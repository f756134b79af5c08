"""Ids of special tokens that a config names, and their numbers after a trim.

>>> needed(Path("xlm-roberta-base"))
{0, 1, 2}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from compress.errors import TrimError
from evalsuite.find_family import named
from evalsuite.opening.pretrained import config_of

_PADDING = "pad_token_id"


def needed(directory: Path) -> set[int]:
    """Ids that have to stay.

    Where positions are counted from the padding's id, that id stays as it is: so do all below it.
    """
    ids = _named(directory)
    found = set(ids.values())
    if _PADDING in ids and _after_padding(directory):
        found |= set(range(ids[_PADDING]))
    return found


def renumber(directory: Path, old: Sequence[int], size: int) -> tuple[list[int], dict[str, int]]:
    """The rows of the trimmed vocabulary, and what its config says of special tokens.

    Args:
        old: the old id of each piece.
        size: rows there were. One that the config names and that has no piece stays, at the end.

    Raises:
        TrimError: positions are counted from the padding's id, and it is another one now.
    """
    ids = _named(directory)
    rows = [*old, *sorted({id for id in ids.values() if id < size}.difference(old))]
    found = renumbered(ids, rows)
    if _after_padding(directory) and found.get(_PADDING) != ids.get(_PADDING):
        raise TrimError(
            f"{directory}: positions are counted from the id of the padding, "
            f"{ids.get(_PADDING)}, and there are ids without a piece below it"
        )
    return rows, found


def renumbered(ids: Mapping[str, int], rows: Sequence[int]) -> dict[str, int]:
    """The new id of each that has a row."""
    new = {id: number for number, id in enumerate(rows)}
    return {key: new[id] for key, id in ids.items() if id in new}


def _named(directory: Path) -> dict[str, int]:
    """Those of the config and, where it does not name them, of its model type."""
    found = config_of(directory).to_dict()
    return {
        key: value
        for key, value in found.items()
        if key.endswith("_token_id") and isinstance(value, int) and value >= 0
    }


def _after_padding(directory: Path) -> bool:
    return named(config_of(directory).model_type).positions == "after-padding"
