"""What a model's `config.json` says, as an object with transformers' names, without transformers.

>>> config = plain_config({"model_type": "distilbert", "dim": 768, "n_layers": 6, ...})
>>> config.hidden_size, config.num_hidden_layers
(768, 6)

Methods of a `Family` take it in place of transformers' object, where a command must not wait for
the import. Where a size is not written, transformers' own object is given, which has its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsuite.find_family import config_of, named

_SIZES = (
    *("hidden_size", "num_attention_heads", "num_hidden_layers"),
    *("vocab_size", "max_position_embeddings", "pad_token_id"),
)


class PlainConfig:
    """Entries of a `config.json` as attributes; one that is absent is an AttributeError."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self.__dict__["_entries"] = dict(entries)
        self.__dict__["_names"] = named(str(entries.get("model_type"))).config_names

    def __getattr__(self, name: str) -> Any:
        try:
            return self._entries[self._names.get(name, name)]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._entries[self._names.get(name, name)] = value

    def to_dict(self) -> dict[str, Any]:
        """The entries."""
        return dict(self._entries)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> PlainConfig:
        """Of a `config.json`."""
        return cls(entries)


def plain_config(raw: Mapping[str, Any]) -> Any:
    """The config of what a `config.json` holds.

    Raises:
        UnknownNameError: no file describes the model's family.
    """
    config = PlainConfig(raw)
    family = named(str(raw.get("model_type")))
    sizes = [*_SIZES, family.feed_forward_key]
    if family.narrow_tables:  # ELECTRA's default is not the width
        sizes.append("embedding_size")
    whole = all(isinstance(getattr(config, name, None), int) for name in sizes)
    return config if whole else config_of(raw)
