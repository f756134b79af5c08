"""Every family's models through what makes them smaller."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from quick import distillation
from tiny_families import FAMILIES, tiny_inputs, tiny_model

from compress.distill.losses import hidden_loss
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.distill.student_batch import Match
from compress.export.first_token import first_token_alone
from compress.export.sensitivity import group
from evalsuite.errors import FamilyError
from evalsuite.find_family import family_of, named


def states(model: Any) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        found: tuple[torch.Tensor, ...] = model(
            **tiny_inputs(), output_hidden_states=True
        ).hidden_states
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_a_student_of_the_first_layers_gives_their_states(name: str) -> None:
    teacher = tiny_model(name)
    family = family_of(teacher)
    kept: list[torch.Tensor] = []
    family.layers(teacher)[1].register_forward_hook(
        lambda module, args, output: kept.append(output if torch.is_tensor(output) else output[0])
    )
    whole = states(teacher)
    student = cut(teacher, [0, 1])
    assert len(family.layers(student)) == 2
    own = states(student.eval())
    for state, teachers in zip(own[:2], whole, strict=False):
        assert torch.equal(state, teachers)
    last = kept[0]
    if family.final_norm is not None:
        last = teacher.base_model.get_submodule(family.final_norm)(last)
    torch.testing.assert_close(own[2], last)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_student_of_the_upper_layers_has_their_weights_or_is_refused(name: str) -> None:
    teacher = tiny_model(name)
    family = family_of(teacher)
    if family.first_layer_reason(teacher.config):
        with pytest.raises(FamilyError, match="cannot be without its first layer"):
            cut(teacher, [1, 2])
        return
    student = cut(teacher, [1, 2])
    for own, source in zip(family.layers(student), family.layers(teacher)[1:], strict=True):
        for tensor, other in zip(own.parameters(), source.parameters(), strict=True):
            assert torch.equal(tensor, other) and tensor is not other


def test_a_number_of_layers_keeps_the_first_where_it_must() -> None:
    assert choose_layers(4, 12, keep_first=True) == [0, 4, 7, 11]
    assert choose_layers(1, 12, keep_first=True) == [0]
    assert choose_layers((2, 3), 12, keep_first=True) == [2, 3]
    for count in range(1, 23):
        chosen = choose_layers(count, 22, keep_first=True)
        assert len(set(chosen)) == count and chosen == sorted(chosen) and chosen[0] == 0


@pytest.mark.parametrize("head", ["pair", "choice"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_last_layer_of_one_token_gives_the_same_logits(name: str, head: str) -> None:
    model, sample = tiny_model(name, head), tiny_inputs()
    if head == "choice":
        sample = {key: tensor[:, None] for key, tensor in sample.items()}
    with torch.no_grad():
        whole = model(**sample).logits
        with first_token_alone(model, sample) as shortened:
            assert shortened == (family_of(model).not_first_token is None)
            found = model(**sample, output_hidden_states=True)
    torch.testing.assert_close(found.logits, whole)
    assert found.hidden_states[-1].shape[1] == (1 if shortened else 9)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_matrix_is_in_a_group(name: str) -> None:
    model = tiny_model(name)
    family, groups = family_of(model), set()
    for module, found in model.named_modules():
        if isinstance(found, torch.nn.Linear | torch.nn.Embedding):
            groups.add(group(str(["", *_ancestors(module)]), family))
    layers = {f"layer {n} {part}" for n in range(3) for part in ("attention", "feed-forward")}
    assert groups == layers | {"embeddings", "head"}
    inside = f"['', '{family.stack_name(model)}.2.{family.layer.output}']"
    assert group(inside, family) == "layer 2 attention"
    inside = f"['', '{family.stack_name(model)}.1.{family.layer.outward}']"
    assert group(inside, family) == "layer 1 feed-forward"


def _ancestors(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def test_layers_are_told_from_modules_of_the_same_name() -> None:
    scopes = "['', 'model.head', 'model.head.dense']"
    assert group(scopes, named("modernbert")) == "head"


@pytest.mark.parametrize("name", FAMILIES)
def test_untrained_lower_layers_of_a_teacher_match_its_states(name: str) -> None:
    """Also where a norm follows the last layer: the student's last states are after its own."""
    teacher = tiny_model(name)
    student = cut(teacher, [0, 1]).eval()
    match = Match.of(teacher, student, [0, 1], distillation(hidden=1.0))
    own, theirs = states(student), match.states(states(teacher))
    mask = tiny_inputs()["attention_mask"]
    assert float(hidden_loss(own, theirs, match.chosen, mask)) < 1e-6
