"""Keys of the multilingual text of `distill` that would change nothing are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from recipes.stages._shared.contract import PARALLEL, Artifact
from recipes.stages.distill import Config, check, data, unused_keys


def config(**changes: Any) -> Config:
    keys = {"name": "s", "stage": "distill", "teacher": "t", "tasks": ["xnli"], **changes}
    return Config.model_validate(keys)


def test_a_list_of_english_alone_names_no_language() -> None:
    with pytest.raises(ValidationError, match="languages: English is the other side of all; name"):
        config(languages=["en"])
    assert config(languages=["en", "sw"]).languages == ("en", "sw")
    assert config().languages == ()


def test_files_of_text_have_no_languages_and_are_all_prose() -> None:
    for keys in ({"languages": ["sw"]}, {"prose": True}):
        (key,) = keys
        with pytest.raises(
            ValidationError, match=f"text: is the multilingual text, so remove {key}, "
        ):
            config(text=["a.txt"], **keys)
    with pytest.raises(ValidationError, match="remove languages and prose"):
        config(text=["a.txt"], languages=["sw"], prose=True)
    asked = config(text=["a.txt"], prose=False, max_pairs=5, skip_longer=True)
    assert asked.max_pairs == 5


@pytest.mark.parametrize(
    "keys",
    [
        {"languages": ["sw"]},
        {"text": ["a.txt"]},
        {"max_pairs": 5},
        {"prose": True},
        {"skip_longer": True},
        {"stream": {"sw": ["sw.txt"]}},
    ],
    ids=lambda keys: next(iter(keys)),
)
def test_keys_of_text_that_is_not_read_are_refused(keys: dict[str, Any]) -> None:
    teacher = {"teacher": [Artifact("checkpoint", task="xnli")]}
    (key,) = keys
    said = f"{key}: with multilingual: 0 no multilingual text is read; remove it, or set"
    (problem,) = unused_keys(config(multilingual=0, **keys))
    assert problem.startswith(said)
    check(config(**keys), teacher)
    encoder = {"teacher": [Artifact("checkpoint")]}
    check(config(tasks=[], logits=0, **keys), encoder)
    for used in (config(**keys), config(multilingual=0), config(tasks=[], logits=0, **keys)):
        assert not unused_keys(used)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"relation_layer": 1}, "relation_layer: with relations: 0 no attention relations are"),
        (
            {"relation_heads": 4, "relation_layer": 1},
            "relation_heads, relation_layer: with relations: 0 .*; remove them, or set relations",
        ),
        (
            {"sentence_targets": "each"},
            "sentence_targets: with sentences: 0 no vectors .* remove it, or set sentences above 0",
        ),
        (
            {"tasks": [], "logits": 0, "uncased": 0.5, "code_switch": 0.5, "max_examples": 9},
            "^uncased, code_switch, max_examples: without tasks no training rows are read; remove",
        ),
    ],
)
def test_keys_of_losses_that_are_off_and_of_no_rows_are_refused(
    keys: dict[str, Any], said: str
) -> None:
    (problem,) = unused_keys(config(**{"logits": 0, **keys}))
    assert re.search(said, problem)
    off = {"relation_heads": None, "sentence_targets": "english", "uncased": 0, "code_switch": 0}
    assert not unused_keys(config(logits=0, **off))  # as where they are left out
    used = {"relations": 1, "sentences": 1, "max_examples": 9, **keys} | {"tasks": ["xnli"]}
    assert not unused_keys(config(**used | {"logits": 0}))


@pytest.mark.parametrize("keys", [{"stream": {"de": ["de.txt"]}}, {"text": ["de.txt"]}])
def test_without_tasks_no_words_are_translated(
    keys: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("de.txt").write_text("Es regnet.\n")

    def needed(**changes: Any) -> tuple[Any, ...]:
        asked = config(code_switch=0.5, probe=0, max_steps=9, **keys, **changes)
        return data(asked, Artifact("checkpoint"))

    assert PARALLEL not in needed(tasks=[], logits=0)  # a variant may have no tasks
    assert PARALLEL in needed(tasks=["xnli"])
