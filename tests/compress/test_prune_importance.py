"""Importance of heads, units and layers, and what cutting them changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from compress.distill.student import cut
from compress.prune import structure
from compress.prune.importance import (
    block_influence,
    least_similar,
    measure,
    strongest,
    surprise,
)
from evalsuite.errors import UnknownNameError


def small(head: str = "SequenceClassification", **changes: Any) -> Any:
    """3 layers of 4 heads of 8 columns and 12 units, weights large enough to matter."""
    import transformers

    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=12, max_position_embeddings=40, initializer_range=0.3,
        **{"num_labels": 3} | changes,
    )  # fmt: skip
    name = f"XLMRobertaFor{head}" if head else "XLMRobertaModel"
    model = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.bias.normal_(0, 0.1)
    return model


def batch(rows: int = 4, tokens: int = 9) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(5, 60, (rows, tokens), generator=generator)
    mask = torch.ones_like(ids)
    ids[0, tokens - 3 :], mask[0, tokens - 3 :] = 1, 0
    return {"input_ids": ids, "attention_mask": mask}


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(**batch()).logits
    return found


def scale_unit(model: Any, layer: int, unit: int, factor: float) -> None:
    with torch.no_grad():
        model.roberta.encoder.layer[layer].output.dense.weight[:, unit] *= factor


def scale_head(model: Any, layer: int, head: int, factor: float) -> None:
    with torch.no_grad():
        output = model.roberta.encoder.layer[layer].attention.output.dense
        output.weight[:, head * 8 : (head + 1) * 8] *= factor


@pytest.mark.parametrize(("scale", "kind"), [(scale_unit, "units"), (scale_head, "heads")])
def test_importance_is_the_squared_slope_of_each_rows_loss(
    scale: Callable[[Any, int, int, float], None], kind: str
) -> None:
    gold = torch.tensor([0, 2, 1, 1])
    found = getattr(measure(small(), [{**batch(), "labels": gold}], seed=1), kind)

    def losses(factor: float) -> torch.Tensor:
        model = small().double()
        scale(model, 1, 2, factor)
        return torch.nn.functional.cross_entropy(logits(model), gold, reduction="none")

    slope = (losses(1.001) - losses(0.999)) / 0.002
    assert found[1, 2].item() == pytest.approx(slope.square().mean().item(), rel=1e-3)
    halves = [{k: t[i : i + 2] for k, t in {**batch(), "labels": gold}.items()} for i in (0, 2)]
    assert torch.allclose(getattr(measure(small(), halves, seed=1), kind), found, rtol=1e-3)


def test_answers_drawn_from_the_model_measure_its_divergence_from_itself() -> None:
    """Half the importance is the curvature of the divergence where a gate goes down."""
    one = {name: tensor[1:2] for name, tensor in batch().items()}
    many = {name: tensor.expand(4000, -1) for name, tensor in one.items()}
    found = measure(small(), [many], seed=3).units[2]
    for unit in strongest(found[None], 3)[0]:
        model = small().double()
        before = model(**one).logits.log_softmax(-1)
        scale_unit(model, 2, unit, 0.99)
        after = model(**one).logits.log_softmax(-1)
        divergence = (before.exp() * (before - after)).sum().item()
        assert 0.5 * found[unit].item() * 0.01**2 == pytest.approx(divergence, rel=0.15)


def test_a_duplicate_shares_importance_and_what_leads_nowhere_has_none() -> None:
    gold = {**batch(), "labels": torch.tensor([0, 2, 1, 1])}
    before = measure(small(), [gold], seed=1)
    model = small()
    scale_unit(model, 0, 3, 0)
    scale_head(model, 0, 1, 0)
    assert measure(model, [gold], 1).units[0, 3] == 0 < before.units[0, 3]
    assert measure(model, [gold], 1).heads[0, 1] == 0 < before.heads[0, 1]
    model, layer = small(), 2
    inner = model.roberta.encoder.layer[layer].intermediate.dense
    outer = model.roberta.encoder.layer[layer].output.dense
    with torch.no_grad():  # unit 4 becomes a half of unit 5, in a model without unit 4
        outer.weight[:, 4] = 0
    whole = measure(model, [gold], 1).units[layer, 5]
    with torch.no_grad():
        inner.weight[4], inner.bias[4] = inner.weight[5], inner.bias[5]
        outer.weight[:, 4] = outer.weight[:, 5] = outer.weight[:, 5] / 2
    shared = measure(model, [gold], 1).units[layer]
    assert shared[4].item() == pytest.approx(whole.item() / 4, rel=1e-4)
    assert shared[5].item() == pytest.approx(whole.item() / 4, rel=1e-4)


@pytest.mark.parametrize("head", ["", "TokenClassification", "QuestionAnswering", "MultipleChoice"])
def test_every_head_is_measured_with_labels_or_without(head: str) -> None:
    """And padding counts for nothing."""
    model, inputs = small(head, num_labels=2 if head == "QuestionAnswering" else 3), batch()
    if head == "MultipleChoice":
        inputs = {name: tensor.view(2, 2, -1) for name, tensor in inputs.items()}
    gold: dict[str, torch.Tensor] = {
        "TokenClassification": {"labels": torch.where(inputs["input_ids"] % 2 > 0, 1, -100)},
        "QuestionAnswering": {
            "start_positions": torch.tensor([1, 2, 0, 0]),
            "end_positions": torch.tensor([1, 4, 3, 8]),
        },
        "MultipleChoice": {"labels": torch.tensor([0, 1])},
    }.get(head, {})
    for labels in ({}, gold):
        found = measure(model, [{**inputs, **labels}], seed=1)
        assert found.units.shape == (3, 12) and found.heads.shape == (3, 4)
        assert (found.units > 0).all() and (found.heads > 0).all()
        assert all(0 < influence < 2 for influence in found.influence)
        longer = {name: torch.nn.functional.pad(t, (0, 2)) for name, t in inputs.items()}
        longer["input_ids"][longer["attention_mask"] == 0] = 1
        padded_gold = {
            name: torch.nn.functional.pad(t, (0, 2), value=-100)
            if head == "TokenClassification"
            else t
            for name, t in labels.items()
        }
        if labels or not head:
            again = measure(model, [{**longer, **padded_gold}], seed=1)
            assert torch.allclose(again.units, found.units, rtol=1e-3)


def test_rows_of_labels_are_read_where_they_count() -> None:
    model = small("TokenClassification")
    output = model(**batch())
    labels = torch.full((4, 9), -100)
    labels[:, 1], labels[:, 4] = 2, 0
    found = surprise(output, batch()["attention_mask"], labels, torch.Generator())
    chances = output.logits.log_softmax(-1)
    assert torch.allclose(found, -(chances[:, 1, 2] + chances[:, 4, 0]) / 2)


def test_the_model_is_as_it_was_after_measuring() -> None:
    model = small().train()
    measure(model, [batch()], seed=1)
    assert model.training and not any(p.grad is not None for p in model.parameters())
    assert torch.equal(logits(model), logits(small()))


def test_influence_does_not_depend_on_how_rows_are_batched() -> None:
    """A batch of few tokens counts as much as its tokens."""
    whole = batch(rows=6)
    parts = [{name: t[:5] for name, t in whole.items()}, {n: t[5:, :3] for n, t in whole.items()}]
    whole["attention_mask"][5, 3:] = 0
    found = measure(small(), parts, seed=1).influence
    assert found == pytest.approx(measure(small(), [whole], seed=1).influence, abs=1e-5)
    one, other = (measure(small(), [part], seed=1).influence for part in parts)
    assert found != pytest.approx([(a + b) / 2 for a, b in zip(one, other, strict=True)], abs=1e-4)


def test_influence_is_of_direction_and_of_real_tokens() -> None:
    x = torch.randn(2, 5, 8)
    mask = torch.ones(2, 5, dtype=torch.int64)
    assert torch.allclose(block_influence([x, 3 * x, -x], mask), torch.tensor([0.0, 2]), atol=1e-6)
    y = x.clone()
    y[:, 4] = -9
    mask[:, 4] = 0
    assert block_influence([x, y], mask).abs() < 1e-6
    assert least_similar([0.5, 0.1, 0.3, 0.2], 3) == [0, 2, 3]
    assert strongest(torch.tensor([[0.2, 0.9, 0.5], [3, 2, 1]]), 2) == [[1, 2], [0, 1]]


def test_a_layer_that_changes_nothing_goes_first_and_takes_nothing_with_it() -> None:
    model = small(layer_norm_eps=1e-12)
    layer = model.roberta.encoder.layer[1]
    with torch.no_grad():  # states are normalized already, and so pass as they are
        for linear in (layer.attention.output.dense, layer.output.dense):
            linear.weight.zero_()
            linear.bias.zero_()
    influence = measure(model, [batch()], seed=1).influence
    assert abs(influence[1]) < 1e-5 and min(influence[0], influence[2]) > 0.01
    kept = least_similar(influence, 2)
    assert kept == [0, 2]
    assert torch.allclose(logits(cut(model, kept)), logits(model), atol=1e-5)


def test_cut_units_and_heads_are_as_if_gated_to_nothing() -> None:
    units, heads = [[0, 3, 7, 8], [1, 2, 3, 4], [5, 6, 10, 11]], [[0, 2], [], [3, 1, 0, 2]]
    gated = small()
    for layer in range(3):
        for unit in set(range(12)) - set(units[layer]):
            scale_unit(gated, layer, unit, 0)
        for head in heads[layer]:
            scale_head(gated, layer, head, 0)
    pruned = small()
    structure.keep_units(pruned, units)
    assert pruned.config.intermediate_size == 4
    structure.silence_heads(pruned, heads)
    assert structure.silent_heads(pruned) == [sorted(own) for own in heads]
    assert torch.allclose(logits(pruned), logits(gated), atol=1e-5)
    assert not torch.allclose(logits(pruned), logits(small()), atol=1e-2)
    assert structure.drop_silent_heads(pruned) == (2 + 3) * 8 * (4 * 32 + 3)  # a head a layer stays
    assert pruned.roberta.encoder.layer[0].attention.self.query.weight.shape == (16, 32)
    assert torch.allclose(logits(pruned), logits(gated), atol=1e-5)
    assert structure.drop_silent_heads(small()) == 0


def test_a_unit_that_leads_nowhere_is_cut_for_nothing() -> None:
    model = small()
    for layer in range(3):
        scale_unit(model, layer, 5, 0)
    before = logits(model)
    gold = {**batch(), "labels": torch.tensor([0, 2, 1, 1])}
    kept = strongest(measure(model, [gold], 1).units, 11)
    assert kept == [[unit for unit in range(12) if unit != 5]] * 3
    structure.keep_units(model, kept)
    assert torch.allclose(logits(model), before, atol=1e-6)


def test_training_leaves_silent_heads_silent() -> None:
    model = small().train()
    structure.silence_heads(model, [[1], [0, 3], []])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    start = model.roberta.encoder.layer[0].attention.self.query.weight.clone()
    for _ in range(3):
        optimizer.zero_grad()
        model(**batch(), labels=torch.tensor([0, 2, 1, 1])).loss.backward()
        optimizer.step()
    assert structure.silent_heads(model) == [[1], [0, 3], []]
    after = model.roberta.encoder.layer[0].attention.self.query.weight
    assert (after[8:16] == 0).all() and not torch.allclose(after, start)


def test_an_unknown_family_is_named() -> None:
    import transformers

    model = transformers.ErnieModel(
        transformers.ErnieConfig(
            vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=8,
        )
    )  # fmt: skip
    with pytest.raises(UnknownNameError, match="unknown model family 'ernie'"):
        structure.silent_heads(model)
    assert structure.drop_silent_heads(model) == 0
