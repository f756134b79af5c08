"""Every family's file says where the parts of transformers' models are, and what they cost."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_families import (
    BERT_SHAPE,
    FAMILIES,
    LENGTH,
    SHAPES,
    tiny_checkpoint,
    tiny_config,
    tiny_model,
)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from evalsuite import registry
from evalsuite.bench import flops
from evalsuite.errors import FamilyError, UnknownNameError
from evalsuite.family_classes import MASKED_LM, class_name
from evalsuite.family_parts import Rows, Sizes
from evalsuite.find_family import config_of, family_of, named
from evalsuite.inference.checkpoint_config import max_length_of, model_config
from evalsuite.runtimes.torch import auto_class
from evalsuite.word_width import word_width

SIZES = Sizes(layers=3, width=32, heads=4, feed_forward=48)


def test_every_file_is_tested() -> None:
    files = registry.FAMILIES.names()
    assert [registry.FAMILIES.get(name).name for name in files] == FAMILIES
    assert tuple(name.replace("-", "_") for name in FAMILIES) == files


def test_no_file_imports_torch() -> None:
    script = (
        "import sys\n"
        "from evalsuite.registry import FAMILIES\n"
        "[FAMILIES.get(name) for name in FAMILIES.names()]\n"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_an_unknown_family_is_refused_with_those_there_are() -> None:
    known = "known: bert, deberta-v2, distilbert, electra, modernbert, roberta, xlm-roberta, xlm-r"
    for asked in ("t5", "albert", "_bert", "None"):
        with pytest.raises(UnknownNameError, match=known):
            named(asked)
    with pytest.raises(UnknownNameError, match="did you mean 'xlm-roberta'"):
        config_of({"model_type": "xlm-robert"})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_config_gives_the_shape(name: str) -> None:
    config = config_of(model_config(tiny_checkpoint(name)))
    family = family_of(config)
    assert family.sizes(config) == SIZES
    assert family.head_size(config) == 8
    small = family.with_sizes(config, Sizes(3, 16, 2, 24))
    assert family.sizes(small) == Sizes(3, 16, 2, 24)
    model = auto_class("pair").from_config(small)
    words = SHAPES[name].get("embedding_size", 16)  # narrower ones stay
    assert model.get_input_embeddings().weight.shape[1] == words == word_width(small)


@pytest.mark.parametrize("head", ["pair", None])
@pytest.mark.parametrize("name", FAMILIES)
def test_parts_are_where_the_file_says(name: str, head: str | None) -> None:
    model = tiny_model(name, head)
    family = family_of(model)
    layers = family.layers(model)
    assert isinstance(layers, nn.ModuleList) and len(layers) == SIZES.layers
    assert family.word_embeddings(model) is model.get_input_embeddings()
    assert model.get_submodule(f"{family.stack_name(model)}.1") is layers[1]
    counted = 0
    for layer in layers:
        parts = family.projections(layer)
        assert list(parts) == ["query", "key", "value"]
        for part in (*parts.values(), *family.relative(layer)):
            assert part.weight.shape == (32, 32)
            assert part.bias is None or part.bias.shape == (32,)
        output, feed = family.attention_output(layer), family.feed_forward(layer)
        assert output.weight.shape == (32, 32)
        assert [rows.weight.shape for rows in feed.inward] == [(48, 32)] * len(feed.inward)
        assert feed.outward.weight.shape == (32, 48)
        # Those are all the matrices there are.
        matrices = [*parts.values(), *family.relative(layer), *feed.inward]
        counted = sum(rows.weight.numel() for rows in matrices)
        counted += output.weight.numel() + feed.outward.weight.numel()
        assert counted == sum(p.numel() for p in layer.parameters() if p.dim() == 2)
        paths = family.layer
        for path in (paths.attention_norm, paths.feed_forward_norm):
            assert isinstance(layer.get_submodule(path), nn.LayerNorm | nn.Identity)
        assert layer.get_submodule(paths.activation) is not None
        inside = layer.get_submodule(paths.attention)
        assert all(f"{paths.attention}." in f"{path}." for path in (paths.query, paths.output))
        assert any(module is output for module in inside.modules())
    if family.final_norm:
        assert isinstance(model.base_model.get_submodule(family.final_norm), nn.LayerNorm)


CLASSES = ("pair", "tagging", "span", "choice", "retrieval", None, MASKED_LM)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_classes_that_serve_its_formats_are_those_of_its_models(name: str) -> None:
    import transformers

    for format in CLASSES:
        served = getattr(transformers, class_name(named(name), format))
        assert served.config_class.model_type == name
    lacking = replace(named(name), lacking=frozenset({"choice"}))
    with pytest.raises(FamilyError, match=f"transformers has no {name} for choice tasks; use a "):
        class_name(lacking, "choice")


def _clear(*parts: Rows) -> None:
    for part in parts:
        part.weight.zero_()
        if part.bias is not None:
            part.bias.zero_()


@pytest.mark.parametrize("name", FAMILIES)
def test_queries_keys_and_values_are_told_apart(name: str) -> None:
    """With values of zero, attention gives its output's bias alone; with queries of zero, a mean of
    values that does not depend on the order of the tokens."""
    model = tiny_model(name, None)
    family = family_of(model)
    layer = family.layers(model)[0]
    seen: list[torch.Tensor] = []
    family.attention_output(layer).register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    ids = torch.arange(5, 14)[None]
    parts = family.projections(layer)
    with torch.no_grad():
        model(ids)
        _clear(parts["query"], parts["key"], *family.relative(layer))
        model(ids)
        _clear(parts["value"])
        model(ids)
    spread = [float((states - states.mean(1, keepdim=True)).abs().max()) for states in seen]
    assert spread[0] > 1e-2 and spread[1] < 1e-5
    assert seen[-1].abs().max() == 0


@pytest.mark.parametrize("name", FAMILIES)
def test_the_longest_sequence_runs_and_a_longer_one_has_no_positions(name: str) -> None:
    model = tiny_model(name)
    family = family_of(model)
    longest = family.longest(model.config)
    assert longest == (LENGTH - 2 if family.positions == "after-padding" else LENGTH)
    ids = torch.full((1, longest), 7)
    mask = torch.ones_like(ids)
    with torch.no_grad():
        model(input_ids=ids, attention_mask=mask)
        if family.positions in ("absolute", "after-padding"):
            with pytest.raises((IndexError, RuntimeError)):
                longer = torch.full((1, longest + 1), 7)
                model(input_ids=longer, attention_mask=torch.ones_like(longer))


@pytest.mark.parametrize("name", FAMILIES)
def test_tensors_with_a_row_a_piece_are_named(name: str) -> None:
    from transformers import AutoModelForMaskedLM

    family = named(name)
    model = AutoModelForMaskedLM.from_config(tiny_config(name))
    tall = {key for key, value in model.state_dict().items() if len(value) == 60}
    assert tall == {key for key in model.state_dict() if key.endswith(family.vocabulary)}
    words = f"{model.base_model_prefix}.{family.words}.weight"
    assert words in tall and words.endswith(family.vocabulary[0])


DEBERTAS: list[dict[str, Any]] = [
    {},
    {"share_att_key": False, "position_buckets": -1},
    {"share_att_key": False, "pos_att_type": ["c2p"], "max_relative_positions": 6},
    {"relative_attention": False, "position_biased_input": True},
    {"conv_kernel_size": 3, "embedding_size": 24},
]
MODELS = [(name, {}) for name in FAMILIES]
MODELS += [("electra", {"embedding_size": 32})]
MODELS += [("deberta-v2", changed) for changed in DEBERTAS[1:]]
MODELS += [("modernbert", {"classifier_pooling": "mean"})]


@pytest.mark.parametrize("head", ["pair", "tagging", "span", "choice"])
@pytest.mark.parametrize(("name", "changed"), MODELS, ids=str)
def test_operations_are_what_torch_counts(name: str, changed: dict[str, Any], head: str) -> None:
    model = tiny_model(name, head, attn_implementation="eager", **changed)
    model.requires_grad_(False)
    ids = torch.randint(5, 60, (2, 1, 17) if head == "choice" else (2, 17))
    counter = FlopCounterMode(display=False)
    with counter:
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    saved = model.config.to_dict() | {"architectures": [type(model).__name__]}
    expected = counter.get_total_flops()
    assert flops.operations(flops.encoder(saved), 2, 17) == pytest.approx(expected, rel=0.01)


def test_narrower_words_are_not_the_new_width() -> None:
    """transformers has no linear layer between words and layers of the same width."""
    for name in ("electra", "deberta-v2"):
        config, family = tiny_config(name, embedding_size=24), named(name)
        with pytest.raises(FamilyError, match=r"width 24: the word embeddings of this .* are 24 w"):
            family.with_sizes(config, Sizes(3, 24, 3, 48))
        wide = tiny_config(name, embedding_size=32)
        assert family.with_sizes(wide, Sizes(3, 24, 3, 48)).embedding_size == 24
    assert named("electra").outside_layers(tiny_config("electra")) == 24 * 32


def test_a_first_layer_that_stays() -> None:
    config = tiny_config("modernbert", num_hidden_layers=4)
    family = family_of(config)
    assert family.with_layers(config, [0, 1, 3]).layer_types == [
        config.layer_types[number] for number in (0, 1, 3)
    ]
    with pytest.raises(FamilyError, match="cannot be without its first layer: the norm"):
        family.with_layers(config, [1, 2])
    convolved = tiny_config("deberta-v2", conv_kernel_size=3)
    with pytest.raises(FamilyError, match="adds a convolution to its output; keep layer 0"):
        named("deberta-v2").with_layers(convolved, [1, 2])
    plain = tiny_config("deberta-v2")
    assert named("deberta-v2").with_layers(plain, [2]).num_hidden_layers == 1
    assert BERT_SHAPE["num_hidden_layers"] == plain.num_hidden_layers == 3


@pytest.mark.parametrize("name", FAMILIES)
def test_the_longest_sequence_is_read_from_a_checkpoint(name: str) -> None:
    config = model_config(tiny_checkpoint(name))
    assert max_length_of(config) == named(name).longest(config_of(config))
    unknown = {"max_position_embeddings": LENGTH, "model_type": "other"}
    assert max_length_of(unknown) == LENGTH - 2
