"""Every key of a recipe can be looked up: it has a sentence, a type, a default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from recipes.parsing.knobs import SearchConfig
from recipes.parsing.recipe_file import Recipe, load
from recipes.stages._shared import registry
from recipes.stages.pretrain import ShapeConfig

KINDS = registry.stage_kinds()


def _configs() -> Iterator[tuple[str, type[BaseModel]]]:
    yield from (("recipe", Recipe), ("search", SearchConfig), ("pretrain shape", ShapeConfig))
    for kind in KINDS:
        yield kind, registry.load_stage(kind).Config


FIELDS = [
    pytest.param(field, id=f"{name}-{key}")
    for name, config in _configs()
    for key, field in config.model_fields.items()
]


def test_all_keys_are_found() -> None:
    assert len(KINDS) == 18
    assert len(FIELDS) > 220


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_has_one_plain_sentence(field: Any) -> None:
    sentence = field.description
    assert sentence, "give the field a description"
    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence), "begin with a capital, end with a full stop"
    assert ". " not in sentence, "one sentence; further parts after a semicolon"
    assert 10 <= len(sentence) <= 170, "be short"


def test_old_keys_are_known_and_new_keys_exist() -> None:
    renamed = 0
    for kind in KINDS:
        config = registry.load_stage(kind).Config
        renamed += len(config.renamed)
        assert set(config.renamed.values()) <= set(config.model_fields), kind
        assert not set(config.renamed) & set(config.model_fields), kind
    assert renamed == 10


RENAMED = """
name: demo
source: embedded
stages:
  - name: pruned
    stage: prune
    model: ./base
    tasks: [xnli]
    ffn: 0.5
    calibration: 32
"""


def test_an_old_key_is_read_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RENAMED)
    loaded = load("r.yaml")
    assert loaded.stages[0].node["importance_rows"].plain() == 32
    note = (
        "r.yaml:10: stage 'pruned' (prune): the key 'calibration' is now called "
        "'importance_rows'; the old name will be removed in the next version"
    )
    assert loaded.problems.notes == [note]
    Path("r.yaml").write_text(RENAMED + "    importance_rows: 64\n")
    assert load("r.yaml").problems.lines == [
        "r.yaml:10: stage 'pruned' (prune): 'calibration' is the old name of 'importance_rows'; "
        "write only one"
    ]


@pytest.mark.parametrize("key", ["calibration", "importance_rows"])
@pytest.mark.parametrize("written", ["calibration", "importance_rows"])
def test_an_old_key_can_be_overridden_by_either_name(
    key: str, written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RENAMED.replace("calibration", written))
    loaded = load("r.yaml", [f"pruned.{key}=64"])
    assert loaded.stages[0].node["importance_rows"].plain() == 64
    assert not loaded.problems and "calibration" not in loaded.stages[0].node.plain()
    assert len(loaded.problems.notes) == [key, written].count("calibration")
    Path("child.yaml").write_text(
        f"name: child\nextends: r.yaml\nstages:\n  - {{name: pruned, {key}: 16}}\n"
    )
    extended = load("child.yaml")
    assert extended.stages[0].node["importance_rows"].plain() == 16
    assert not extended.problems and "calibration" not in extended.stages[0].node.plain()


def test_check_and_run_print_the_note(lab: Any, capfd: pytest.CaptureFixture[str]) -> None:
    train = registry.load_stage("train").Config  # the tests' own stage, with a fake rename
    lab.write(
        "name: demo\nsource: embedded\nstages:\n"
        "  - {name: a, stage: train, model: ./base, tasks: [xnli], old_steps: 2}\n"
    )
    assert train.renamed == {"old_steps": "steps"}
    note = "note: r.yaml:4: stage 'a' (train): the key 'old_steps' is now called 'steps'; "
    assert lab.cli("check", "r.yaml") == 0
    out = capfd.readouterr().out
    assert out.startswith("r.yaml: ok, 1 stage, source embedded\n" + note) and out.count(note) == 1
    assert lab.cli("run", "r.yaml") == 0
    err = capfd.readouterr().err
    assert err.startswith(note) and err.count(note) == 1
