"""Every method declares its options once, and recipes have the same."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from recipes.stages.train import Config
from transfer.methods import _options, lora
from transfer.registry import METHODS

METHOD_NAMES = METHODS.names()


def declared(name: str) -> tuple[_options.Option, ...]:
    options = getattr(METHODS.get(name), "Options", None)
    return _options.declared(options) if options is not None else ()


def test_every_method_is_here() -> None:
    assert len(METHOD_NAMES) >= 6
    with_options = {name for name in METHOD_NAMES if declared(name)}
    assert with_options >= {"lora", "last_k", "soft_prompt", "deep_prompt"}


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_a_method_has_what_the_loop_asks_for(name: str) -> None:
    method = METHODS.get(name)
    assert method.GIVES in ("checkpoint", "adapter", "prompt")
    assert all(callable(getattr(method, part)) for part in ("check", "prepare", "save"))


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_recipes_have_the_keys_that_a_method_declares(name: str) -> None:
    keys: dict[str, Any] = {"name": "t", "stage": "train", "model": "m", "tasks": ("xnli",)}
    config = Config(**keys)
    for option in declared(name):
        assert getattr(config, option.name) == option.default, option.name
        assert Config.model_fields[option.name].description == option.help, option.name
        assert option.help.endswith(".")


@pytest.mark.parametrize(
    ("key", "value"),
    [("rank", 0), ("dropout", 1.0), ("adapter_layers", (0,)), ("scaling", "none"), ("last", 0)],
)
def test_recipes_keep_the_limits_that_a_method_declares(key: str, value: object) -> None:
    keys: dict[str, Any] = {"name": "t", "stage": "train", "model": "m", "tasks": ("xnli",)}
    with pytest.raises(ValidationError, match=key):
        Config(**keys | {key: value})


def test_options_of_other_methods_are_ignored() -> None:
    chosen = _options.read(lora.Options, {"rank": 4, "length": 8, "max_length": 64})
    assert chosen == lora.Options(rank=4)
    assert {option.name: option.limits for option in _options.declared(lora.Options)}["rank"] == {
        "ge": 1
    }
