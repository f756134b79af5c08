"""Every family's models with fewer heads, units and dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import MODELS, tiny_inputs, tiny_model

from compress.distill.narrow import Shape, narrow
from compress.distill.relations import attended
from compress.prune import structure
from compress.prune.importance import measure
from compress.prune.prune import _Counts, _Kept, _round, parameters
from evalsuite.errors import FamilyError
from evalsuite.family_parts import Sizes
from evalsuite.find_family import family_of

EVERY = pytest.mark.parametrize(("name", "changed"), MODELS, ids=str)
Changed = dict[str, Any]
UNITS = [[0, 3, 5], [1, 2, 47], [7, 24, 25]]
SILENT = [[0], [1, 3], []]


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**tiny_inputs()).logits
    return found


def masked(name: str, changed: Changed) -> torch.Tensor:
    """Logits of the whole model, its units and heads set to zero where they are used."""
    model = tiny_model(name, **changed)
    family = family_of(model)

    def zero(chosen: list[int]) -> Any:
        def hook(module: Any, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            keep = torch.ones(args[0].shape[-1])
            keep[chosen] = 0
            return (args[0] * keep,)

        return hook

    for layer, units, heads in zip(family.layers(model), UNITS, SILENT, strict=True):
        columns = [head * 8 + one for head in heads for one in range(8)]
        family.attention_output(layer).register_forward_pre_hook(zero(columns))
        others = [unit for unit in range(48) if unit not in units]
        family.feed_forward(layer).outward.register_forward_pre_hook(zero(others))
    return logits(model)


@EVERY
def test_pruned_heads_and_units_equal_masked_ones(
    name: str, changed: Changed, tmp_path: Path
) -> None:
    model = tiny_model(name, **changed)
    family = family_of(model)
    wanted, before = masked(name, changed), parameters(model)
    assert sum(before.values()) == sum(p.numel() for p in model.parameters())
    structure.keep_units(model, UNITS)
    structure.silence_heads(model, SILENT)
    torch.testing.assert_close(logits(model), wanted)
    assert family.sizes(model.config) == Sizes(3, 32, 4, 3)
    assert structure.silent_heads(model) == SILENT and structure.heads_of(model) == [4, 4, 4]
    assert parameters(model)["attention"] == before["attention"]
    assert parameters(model)["feed-forward"] < before["feed-forward"] / 2
    model.save_pretrained(tmp_path)
    assert torch.equal(logits(type(model).from_pretrained(tmp_path).eval()), logits(model))
    silent = structure.silent_parameters(model)
    assert structure.drop_silent_heads(model) == silent > 0
    assert structure.heads_of(model) == [3, 2, 4]
    torch.testing.assert_close(logits(model), wanted)


@EVERY
def test_a_silent_head_and_an_unread_unit_have_no_importance(name: str, changed: Changed) -> None:
    model = tiny_model(name, **changed)
    family = family_of(model)
    structure.silence_heads(model, [[2], [], [0]])
    with torch.no_grad():
        family.feed_forward(family.layers(model)[1]).outward.weight[:, 5] = 0
    found = measure(model, [tiny_inputs()], seed=1)
    assert found.heads.shape == (3, 4) and found.units.shape == (3, 48)
    assert {tuple(place) for place in (found.heads == 0).nonzero().tolist()} == {(0, 2), (2, 0)}
    assert found.units[1, 5] == 0 and (found.units == 0).sum() == 1
    assert len(found.influence) == 3 and min(found.influence) > 0


@EVERY
def test_a_round_keeps_the_first_layer_where_it_must(name: str, changed: Changed) -> None:
    model = tiny_model(name, **changed)
    bound = family_of(model).first_layer_reason(model.config) is not None
    everything = _Kept([0, 1, 2], [list(range(48))] * 3, [])
    for layer in family_of(model).layers(model)[:1]:  # the first changes nothing but the norms
        for weight in layer.parameters():
            weight.data *= 0.01 if weight.dim() == 2 else 1
    sizes = _Counts(layers=1, units=24, heads=3)
    small, kept, _ = _round(model, everything, [tiny_inputs()], sizes, [], seed=1)
    assert len(kept.layers) == 1 and (kept.layers == [0] or not bound)
    assert family_of(small).sizes(small.config) == Sizes(1, 32, 4, 24)
    assert len(structure.silent_heads(small)[0]) == 1
    assert torch.isfinite(logits(small)).all()


@EVERY
def test_a_student_of_the_same_shape_is_the_teacher(name: str, changed: Changed) -> None:
    teacher = tiny_model(name, **changed)
    with torch.no_grad():  # units that are not missed
        for layer in family_of(teacher).layers(teacher):
            family_of(teacher).feed_forward(layer).outward.weight[:, ::2] = 0
    student = narrow(teacher, Shape(width=32, ffn=24), [tiny_inputs()]).eval()
    assert family_of(student).sizes(student.config) == Sizes(3, 32, 4, 24)
    torch.testing.assert_close(logits(student), logits(teacher))


@EVERY
def test_a_narrower_student_follows_a_teacher_that_fills_its_width(
    name: str, changed: Changed, tmp_path: Path
) -> None:
    teacher = tiny_model(name, **changed)
    student = narrow(teacher, Shape(width=16, ffn=24), [tiny_inputs()]).eval()
    family = family_of(student)
    assert family.sizes(student.config) == Sizes(3, 16, 2, 24)
    assert torch.isfinite(logits(student)).all()
    student.save_pretrained(tmp_path)
    assert torch.equal(logits(type(student).from_pretrained(tmp_path).eval()), logits(student))
    thinner = Shape(width=16, heads=4)
    if family.fixed_dimensions is None:
        assert family.head_size(narrow(teacher, thinner, [tiny_inputs()]).config) == 4
        return
    with pytest.raises(FamilyError, match="keep their 8, because rotary positions turn"):
        narrow(teacher, thinner, [tiny_inputs()])


@EVERY
def test_relations_are_of_queries_keys_and_values(name: str, changed: Changed) -> None:
    model = tiny_model(name, None, **changed)
    family = family_of(model)
    layer = family.layers(model)[1]
    read: list[torch.Tensor] = []
    parts = family.projections(layer)
    for linear in {part.linear for part in parts.values()}:
        linear.register_forward_pre_hook(lambda module, args: read.append(args[0]))
    with torch.no_grad(), attended(model, 1) as found:
        model(**tiny_inputs())
        model(**tiny_inputs())
    assert len(found) == 6
    for tensor, part in zip(found, [*parts.values()] * 2, strict=True):
        wanted = torch.nn.functional.linear(read[0], part.weight, part.bias)
        torch.testing.assert_close(tensor, wanted)
    with torch.no_grad():
        model(**tiny_inputs())
    assert len(found) == 6


def test_narrow_tables_are_not_taken_for_layers() -> None:
    """As many positions and pieces as dimensions, and yet a row per position and piece stays."""
    teacher = tiny_model("electra", vocab_size=32, max_position_embeddings=32)
    ids = torch.randint(5, 32, (2, 9))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    student = narrow(teacher, Shape(width=16), [batch]).eval()
    for name in ("word_embeddings", "position_embeddings", "LayerNorm"):
        own, other = (model.electra.embeddings.get_submodule(name) for model in (student, teacher))
        assert torch.equal(own.weight, other.weight)
    assert torch.isfinite(student(**batch).logits).all()
