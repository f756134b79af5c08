"""One rule for tasks and options: `check` and the training say the same of the same mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from quick import options

from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import train as stage
from recipes.stages._shared.contract import Artifact
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import MethodError
from transfer.supervised import rules
from transfer.supervised.keep_best import Selecting
from transfer.supervised.train_tasks import train_tasks


@pytest.mark.parametrize(
    ("keys", "same"),
    [
        ({"mixing": "capped"}, {"mixing": "capped"}),
        ({"mixing": "uniform", "cap": 5}, {"mixing": "uniform", "cap": 5}),
        ({"mixing_temperature": 2.0}, {"temperature": 2.0}),
        ({"tasks": ()}, {"tasks": ()}),
        ({"mlm": 1.0}, {"masked": MaskedText(share=1.0)}),
        ({"tlm": 0.5}, {"masked": MaskedText(tlm=0.5)}),
        (
            {"mlm": 0.5, "tlm": 0.5, "mlm_languages": ("en",)},
            {"masked": MaskedText(share=0.5, tlm=0.5, languages=("en",))},
        ),
        ({"tasks": ("tatoeba",)}, {"tasks": ("tatoeba",)}),
        ({"tasks": ("lareqa", "xnli")}, {"tasks": ("lareqa", "xnli")}),
        (
            {"tasks": ("lareqa",), "effective_batch": 8},
            {"tasks": ("lareqa",), "effective_batch": 8},
        ),
        ({"tasks": ("lareqa",), "batch_tokens": 64}, {"tasks": ("lareqa",), "batch_tokens": 64}),
        (
            {"tasks": ("lareqa",), "evaluate_every": 5},
            {"tasks": ("lareqa",), "selecting": Selecting(every=5)},
        ),
    ],
    ids=lambda keys: " ".join(keys),
)
def test_check_and_training_say_the_same(
    tmp_path: Path, keys: dict[str, Any], same: dict[str, Any]
) -> None:
    names = same.pop("tasks", ("xnli",))
    with pytest.raises(MethodError) as caught:
        train_tasks(
            tmp_path,
            [TASKS.get(name) for name in names],
            DataSource("embedded"),
            options(**same),
            work=tmp_path,
            out=tmp_path,
        )
    said = str(caught.value)
    with pytest.raises((ValidationError, StageInputError), match=re.escape(said)):
        config = stage.Config(name="t", stage="train", model="m", **{"tasks": ("xnli",)} | keys)
        stage.check(config, {"model": [Artifact("checkpoint", external=True)]})


@pytest.mark.parametrize(
    ("keys", "used", "said"),
    [
        (
            {"mlm_languages": ("de",), "mlm_lines": None},
            {"mlm": 0.5},
            "mlm_languages, mlm_lines: with mlm: 0 no masked text is read; remove them, or set mlm",
        ),
        ({"adversarial_steps": 2}, {"adversarial": 0.1}, "with adversarial: 0 no perturbation is"),
        ({"average_share": 0.5}, {"average": 3}, "average_share: without average no snapshots are"),
        ({"max_pairs": 9}, {"tasks": (), "contrastive": "words"}, "no parallel text is trained on"),
        ({"pooling": "cls"}, {"tasks": ("lareqa",)}, "pooling: no vectors of sentences are tr"),
        (
            {"contrastive_temperature": 0.1},
            {"tasks": (), "contrastive": "words"},
            "contrastive_temperature: no vectors of sentences are trained here; leave it out, or",
        ),
    ],
    ids=lambda keys: " ".join(keys) if isinstance(keys, dict) else None,
)
def test_keys_of_what_is_off_are_refused(
    keys: dict[str, Any], used: dict[str, Any], said: str
) -> None:
    def checked(**given: Any) -> str:
        config = stage.Config(name="t", stage="train", model="m", **{"tasks": ("xnli",)} | given)
        for problem in stage.unused_keys(config):  # as `check` of a recipe does
            raise StageInputError(problem)
        return stage.check(config, {"model": [Artifact("checkpoint", external=True)]}).kind

    with pytest.raises(StageInputError, match=re.escape(said)):
        checked(**keys)
    assert checked(**keys, **used) == "adapter"


def test_every_problem_is_said_at_once() -> None:
    ranking, retrieval = TASKS.get("lareqa"), TASKS.get("tatoeba")
    problems = rules.task_problems([ranking, retrieval], evaluated=True, parts=True)
    assert len(problems) == 5  # neither is scored meanwhile, nor cut; one is not learnt
    assert rules.task_problems([TASKS.get("xnli")], evaluated=True, parts=True) == []
    assert rules.mixing_problems("temperature", None, 2.0) == []
    assert rules.masked_problems(1.0, 0.5, None, tasks=False, max_steps=5) == []


def test_formats_declare_whether_they_read_two_texts() -> None:
    from evalsuite.registry import FORMATS

    two = {name for name in FORMATS.names() if FORMATS.get(name).TWO_TEXTS}
    assert {"pair", "span", "choice"} <= two and "tagging" not in two
