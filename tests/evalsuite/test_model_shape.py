"""Parameters counted from a config are those of transformers' own classes, for every family."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_families import FAMILIES, SHAPES

from evalsuite.errors import UnknownNameError
from evalsuite.find_family import family_of
from evalsuite.machine.memory import Memory, Place, gigabytes, machine_memory, ram
from evalsuite.machine.model_shape import ModelShape
from evalsuite.runtimes.torch import auto_class

XL = {"num_hidden_layers": 36, "hidden_size": 2560, "num_attention_heads": 32}
XXL = {"num_hidden_layers": 48, "hidden_size": 4096, "num_attention_heads": 32}
LARGE: list[tuple[str, dict[str, Any], str | None]] = [
    ("xlm-roberta-xl", {**XL, "intermediate_size": 10_240, "vocab_size": 250_880}, None),
    ("xlm-roberta-xl", {**XXL, "intermediate_size": 16_384, "vocab_size": 250_880}, "pair"),
    ("deberta-v2", {"share_att_key": False, "embedding_size": 128}, "tagging"),
]


def meta(name: str, head: str | None, **changed: Any) -> Any:
    """A model without memory, of transformers' own default sizes unless changed."""
    from transformers import AutoConfig

    keys = {k: v for k, v in SHAPES[name].items() if name != "distilbert"} | changed
    config = AutoConfig.for_model(name, num_labels=3, **keys)
    with torch.device("meta"):
        return auto_class(head).from_config(config)


@pytest.mark.parametrize(
    ("name", "changed", "head"),
    [*((name, {}, head) for name in FAMILIES for head in ("pair", "tagging")), *LARGE],
)
def test_parameters_are_those_of_transformers(
    name: str, changed: dict[str, Any], head: str | None
) -> None:
    if "num_hidden_layers" not in changed:
        key = "n_layers" if name == "distilbert" else "num_hidden_layers"
        changed = {**changed, key: 2}
    model = meta(name, head, **changed)
    shape = ModelShape.of(model.config, head, 3)
    assert shape.parameters == pytest.approx(sum(p.numel() for p in model.parameters()), rel=0.004)
    assert shape.words == model.get_input_embeddings().weight.numel()
    family = family_of(model)
    linear = {
        path: module.weight
        for layer in family.layers(model)[:1]
        for path, module in layer.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    assert shape.linear == shape.layers * sum(weight.numel() for weight in linear.values())
    for path, (inputs, outputs) in shape.linear_layers().items():
        assert linear[path].shape == (outputs, inputs)
    assert shape.largest == max(weight.numel() for weight in linear.values())


def test_an_unknown_family_has_no_shape() -> None:
    from transformers import AutoConfig

    with pytest.raises(UnknownNameError, match="model family"):
        ModelShape.of(AutoConfig.for_model("albert"))


def test_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from evalsuite.machine import memory

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine_memory() == Place("RAM", ram()) and ram() > 1e8
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (limit,))
    whole = ram()
    limit.write_text("max\n", encoding="utf-8")
    assert ram() == whole
    limit.write_text("123000000\n", encoding="utf-8")
    assert ram() == 123_000_000
    monkeypatch.setattr(memory, "_total", lambda: 0)
    limit.unlink()
    assert ram() == 0


def test_memory_adds_up() -> None:
    both = Memory({"weights": 1, "other": 2}).and_also(Memory({"teacher": 4, "weights": 8}))
    assert both.parts == {"weights": 9, "other": 2, "teacher": 4} and both.total == 15
    assert gigabytes(13_926_000_000) == "13.9 GB" and gigabytes(41_000_000) == "0.04 GB"
