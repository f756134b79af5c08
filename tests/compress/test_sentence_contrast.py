"""A student's sentence vectors are to find the teacher's among those of the batch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation
from stage_options import options_of

from compress.distill.distill import distill
from compress.distill.sentences import contrast_loss, sentence_loss, vectors_loss
from evalsuite.task import DataSource
from recipes.stages import distill as stage
from recipes.stages._shared.contract import Artifact

EMBEDDED = DataSource("embedded")
SPREAD, TEMPERATURE = 0.5, 0.1


def unit(rows: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(rows, width, generator=generator), dim=-1)


def missed(own: torch.Tensor, among: torch.Tensor) -> float:
    """Mean negative logarithm of the probability of the vector in the same row."""
    cosines = own @ among.T / TEMPERATURE
    return float((cosines.logsumexp(1) - cosines.diagonal()).mean())


def found(own: torch.Tensor, target: torch.Tensor, sides: int) -> float:
    return float(contrast_loss(own, target, SPREAD, sides, TEMPERATURE))


def test_each_side_is_to_find_its_own_and_translations_each_other() -> None:
    english, foreign, target = unit(4, 8, 1), unit(4, 8, 2), unit(8, 8, 3)
    wanted = [
        missed(english, target[:4]),
        missed(foreign, target[4:]),
        missed(english, foreign),
        missed(foreign, english),
    ]
    both = torch.cat((english, foreign))
    assert found(both, target, 2) == pytest.approx(sum(wanted) / 4, rel=1e-5)
    wanted[1] = missed(foreign, target[:4])  # the English vectors are those of both sides
    assert found(both, target[:4], 2) == pytest.approx(sum(wanted) / 4, rel=1e-5)
    assert found(english, target[:4], 1) == pytest.approx(wanted[0], rel=1e-5)


def test_a_sentence_that_is_there_twice_is_no_negative_of_itself() -> None:
    own, target = unit(3, 8, 1), unit(3, 8, 2)
    target[2], own[2] = target[0], own[0]
    cosines = own @ target.T / TEMPERATURE
    rows = [cosines[0, :2], cosines[1], cosines[0, :2]]
    right = sum(float(row.logsumexp(0)) for row in rows) - float(cosines.diagonal().sum())
    assert found(own, target, 1) == pytest.approx(right / 3, rel=1e-5)


def test_its_weight_is_added_to_that_of_the_distance() -> None:
    own, target = unit(8, 8, 1), unit(8, 8, 2)
    asked = distillation(sentences=2.0, contrast=3.0)
    wanted = 2 * sentence_loss(own, target, SPREAD) + 3 * contrast_loss(
        own, target, SPREAD, 2, asked.vectors.temperature
    )
    assert float(vectors_loss(own, target, SPREAD, asked)) == pytest.approx(float(wanted), rel=1e-5)
    with torch.autocast("cpu", torch.bfloat16):  # cosines are compared in fp32 all the same
        low = vectors_loss(own.bfloat16(), target, SPREAD, asked)
    exact = vectors_loss(own.bfloat16().float(), target, SPREAD, asked)
    assert low.dtype == torch.float32 and float(low) == float(exact)


def test_a_student_learns_by_it(tiny_base: Path, tmp_path: Path) -> None:
    asked = distillation(
        logits=0.0, hidden=0.0, sentences=0.1, contrast=1.0, layers=1, max_pairs=60, batch_size=16
    )
    losses = []
    for steps in (1, 60):
        changed = dataclasses.replace(
            asked,
            max_steps=steps,
            settings=dataclasses.replace(asked.settings, learning_rate=5e-4 if steps > 1 else 1e-9),
        )
        fitted, _ = distill(
            tiny_base, [], EMBEDDED, changed, work=tmp_path / f"w{steps}", out=tmp_path / str(steps)
        )
        losses.append(fitted.final_loss)
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize("keys", [{"contrast": 1.0}, {"matryoshka": [8]}])
def test_without_vectors_to_match_it_is_refused(keys: dict[str, Any]) -> None:
    def unused(sentences: float) -> list[str]:
        given = {"name": "d", "stage": "distill", "teacher": "t", "sentences": sentences}
        return stage.unused_keys(stage.Config.model_validate(given | keys | {"tasks": ["xnli"]}))

    (key,) = keys
    why = f"{key}: with sentences: 0 no vectors of sentences are matched; remove it, or set"
    assert unused(0) == [f"{why} sentences above 0"] and not unused(1)


@pytest.mark.parametrize(("sentences", "dimensions"), [(0.0, ()), (1.0, (8,))])
def test_a_variant_that_matches_no_vectors_declares_no_dimensions(
    sentences: float, dimensions: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"name": "d", "stage": "distill", "teacher": "t", "sentences": sentences}
    config = stage.Config.model_validate(keys | {"matryoshka": [8]})
    given = options_of(config, Artifact("checkpoint"), tmp_path, monkeypatch)
    assert given.own_vectors.dimensions == dimensions
