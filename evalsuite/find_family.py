"""The family of a model, by its model type.

>>> family_of(model).name
'xlm-roberta'
>>> family_of(config_of(read_config(directory))).lora
('query', 'value')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsuite.errors import UnknownNameError
from evalsuite.family import Family
from evalsuite.registry import FAMILIES


def family_of(model: Any) -> Family:
    """The family of a model, an encoder, or a transformers config.

    Raises:
        UnknownNameError: no file describes it; lists those that there are.
    """
    return named(str(getattr(model, "config", model).model_type))


def find(model: Any) -> Family | None:
    """The same; None where no file describes the family."""
    return find_type(getattr(model, "config", model).model_type)


def find_type(model_type: object) -> Family | None:
    """The family of a model type; None where no file describes it."""
    try:
        return named(str(model_type))
    except UnknownNameError:
        return None


def longest_of(config: Any) -> int:
    """Tokens of the longest sequence a model takes; of an unknown family, as XLM-R counts."""
    family = find(config)
    return int(config.max_position_embeddings) - 2 if family is None else family.longest(config)


def named(model_type: str) -> Family:
    """The family of a model type, as `config.json` has it.

    Raises:
        UnknownNameError: as `family_of`.
    """
    file = model_type.replace("-", "_")
    known = FAMILIES.names()
    if file not in known:
        names = [name.replace("_", "-") for name in known]
        raise UnknownNameError("model family", model_type, names)
    return FAMILIES.get(file)


def config_of(raw: Mapping[str, Any]) -> Any:
    """The config object, of transformers, of what `config.json` holds.

    Raises:
        UnknownNameError: as `family_of`.
    """
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[named(str(raw.get("model_type"))).name].from_dict(dict(raw))
