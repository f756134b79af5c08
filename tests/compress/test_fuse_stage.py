"""The fuse stage: what can be combined is checked before anything runs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from evalsuite.install_command import how_to_install
from recipes.stages import fuse as stage
from recipes.stages._shared.contract import (
    AdapterFacts,
    Artifact,
    StageInputError,
)


def adapter(base: Artifact, task: str | None = "xnli", **changes: Any) -> Artifact:
    facts = {"method": "lora", "precision": "nf4", "embeddings": "fp32", "rank": 8} | changes
    return Artifact("adapter", task, adapter=AdapterFacts(base, **facts))


BASE = Artifact("checkpoint", external=True)


@pytest.mark.parametrize(
    ("keys", "model", "others", "said"),
    [
        (
            {},
            adapter(BASE),
            [adapter(BASE)],
            r"weights: say how much .* 2 .*\[0.5, 0.5\], or search",
        ),
        ({"weights": [1]}, adapter(BASE), [adapter(BASE)], "weights: 1 for 2 adapters"),
        ({"weights": [1, 1]}, adapter(BASE), [], "there is one adapter; name more"),
        ({"combine": "svd"}, adapter(BASE), [], "there is one adapter; name more"),
        (
            {"weights": [1, 1]},
            adapter(BASE),
            [Artifact("checkpoint")],
            "others: adapters are combined, this is a checkpoint",
        ),
        (
            {"weights": [1, 1]},
            adapter(BASE),
            [adapter(Artifact("checkpoint", external=True))],
            "others: adapter 1 was trained on another base than the model; train all",
        ),
        (
            {"weights": [1, 1]},
            adapter(BASE),
            [adapter(BASE, precision="int8")],
            "trained with precision: int8, the model with nf4",
        ),
        (
            {"weights": [1, 1], "combine": "ties", "density": 0.5},
            adapter(BASE),
            [adapter(BASE, rank=4)],
            "needs adapters of one rank, these have 4, 8",
        ),
        (
            {"weights": [1, 1]},
            adapter(BASE),
            [adapter(BASE, dora=True)],
            "others: adapter 1 was trained with dora, whose magnitudes",
        ),
        (
            {"weights": "search"},
            adapter(BASE, None),
            [adapter(BASE)],
            "it has no task head; give numbers",
        ),
        (
            {"weights": "search", "trials": 3},
            adapter(BASE),
            [adapter(BASE)],
            "trials: 3 are too few for 2 adapters; 4 are",
        ),
        ({"score_rows": 5}, adapter(BASE, None), [], "no task head to score"),
        (
            {"score_rows": 5},
            adapter(BASE, "qqp"),
            [],
            "score_rows: no multilingual task has the labels of qqp; leave it out, and evaluate",
        ),
    ],
)
def test_check_says_what_cannot_be(
    keys: dict[str, Any], model: Artifact, others: list[Artifact], said: str
) -> None:
    config = stage.Config(name="f", stage="fuse", model="m", **keys)
    with pytest.raises(StageInputError, match=said):
        stage.check(config, {"model": [model], "others": others})


def test_check_passes_what_can_be_and_asks_for_its_rows() -> None:
    keys = {"weights": "search", "combine": "svd", "rank": 4, "score_rows": 5, "probe": 0}
    config = stage.Config(name="f", stage="fuse", model="m", **keys)
    inputs = {"model": [adapter(BASE, "mnli")], "others": [adapter(BASE, None, rank=4)]}
    gives = stage.check(config, inputs)
    assert gives == Artifact("checkpoint", "mnli")
    needs = stage.data(config, gives)
    assert [(need.task, need.split, need.languages) for need in needs] == [
        ("xnli", "eval", None),
        ("xnli", "dev", ("en",)),  # nothing but English is searched on
    ]


def test_a_training_says_what_its_adapter_can_be_combined_with() -> None:
    from recipes.stages import train as training

    keys = {"model": "m", "tasks": ["xnli"], "rank": 4, "init": "pissa", "embeddings": "bf16"}
    config = training.Config(name="t", stage="train", **keys)
    facts = training.check(config, {"model": [BASE]}).adapter
    assert facts is not None and facts.base is BASE
    assert (facts.rank, facts.precision, facts.embeddings) == (8, "fp32", "bf16")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"combine": "ties"}, "say density: 0.5"),
        ({"combine": "linear", "density": 0.5}, "keeps all values"),
        ({"combine": "cat", "rank": 4}, "cuts no rank"),
        ({"combine": "dare_ties", "density": 1.0}, "less than 1"),
        ({"weights": "find"}, "search"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        stage.Config(name="f", stage="fuse", model="m", **keys)


def test_keys_of_a_search_without_one_are_refused() -> None:
    def problems(**keys: Any) -> list[str]:
        return stage.unused_keys(stage.Config(name="f", stage="fuse", model="m", **keys))

    said = "no weights are searched; remove them, or set weights: search"
    found = problems(weights=[1, 1], trials=9, dev_examples=9)
    assert found == [f"trials, dev_examples: {said}"]
    assert problems(dev_examples=9)[0].startswith("dev_examples: no weights are searched; remove")
    assert not problems(weights="search", trials=9) and not problems(weights=[1, 1])


def test_optuna_is_asked_for_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "find_spec", lambda name: None)
    config = stage.Config(name="f", stage="fuse", model="m", weights="search")
    with pytest.raises(Exception, match=re.escape(how_to_install("search"))):
        stage.check(config, {"model": [adapter(BASE)], "others": [adapter(BASE)]})


@pytest.mark.parametrize(
    ("task", "searched"),
    [("qqp", "qqp"), ("rte", "rte"), ("ccg", "ccg"), ("mnli", "xnli"), ("cosmosqa", "xcopa")],
)
def test_weights_are_searched_on_rows_with_the_labels_of_the_head(task: str, searched: str) -> None:
    config = stage.Config(name="f", stage="fuse", model="m", weights="search", probe=0)
    gives = stage.check(config, {"model": [adapter(BASE, task)], "others": [adapter(BASE, task)]})
    (need,) = stage.data(config, gives)
    assert (need.task, need.split, need.languages) == (searched, "dev", ("en",))
