"""Every key of a recipe can be looked up: it has a sentence, a type, a default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from recipes.parsing.knobs import SearchConfig
from recipes.parsing.recipe_file import Recipe
from recipes.stages._shared import registry
from recipes.stages.pretrain import ShapeConfig

KINDS = registry.stage_kinds()


def _configs() -> Iterator[tuple[str, type[BaseModel]]]:
    yield from (("recipe", Recipe), ("search", SearchConfig), ("pretrain shape", ShapeConfig))
    for kind in KINDS:
        yield kind, registry.load_stage(kind).Config


FIELDS = [
    pytest.param(field, id=f"{name}-{key}")
    for name, config in _configs()
    for key, field in config.model_fields.items()
]


def test_all_keys_are_found() -> None:
    assert len(KINDS) == 13
    assert len(FIELDS) > 220


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_has_one_plain_sentence(field: Any) -> None:
    sentence = field.description
    assert sentence, "give the field a description"
    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence), "begin with a capital, end with a full stop"
    assert ". " not in sentence, "one sentence; further parts after a semicolon"
    assert 10 <= len(sentence) <= 170, "be short"
