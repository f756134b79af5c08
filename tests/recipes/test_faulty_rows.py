"""Rows of declared tasks are read before anything runs, once, if a stage reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.own.own_task import OwnTask
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.problems import Problems
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan, with_keys
from recipes.stages import evaluate, fertility

MODEL = "package:recipes/models/e5-mini"
RECIPE = f"""
name: demo
source: files
tasks:
  topics:
    format: classification
    train: {{en: train.csv}}
    test: {{en: test.csv, de: unlabelled.csv}}
stages:
  - {{name: t, stage: train, model: "{MODEL}", tasks: [topics], method: full}}
  - {{name: s, stage: evaluate, models: [t], tasks: [topics]}}
"""
ROWS = "text,label\nIt rains.,weather\nGoal!,sports\n"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe with rows that are sound."""
    monkeypatch.chdir(tmp_path)
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(ROWS)
    (tmp_path / "unlabelled.csv").write_text("text\nEs regnet.\n")
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path / "r.yaml"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The languages and splits whose rows are read."""
    found: list[str] = []
    load_rows = OwnTask.load

    def loaded(self: OwnTask, source: Any, split: Any, language: str) -> Any:
        found.append(f"{split} {language}")
        return load_rows(self, source, split, language)

    monkeypatch.setattr(OwnTask, "load", loaded)
    return found


def plan(recipe: Path, memo: Path) -> Any:
    return make_plan(load(str(recipe)), None, DigestMemo(memo))


def test_sound_rows_are_read_once(recipe: Path, read: list[str], tmp_path: Path) -> None:
    memo = tmp_path / "memo.json"
    plan(recipe, memo)
    assert read == ["train en", "test en"]
    plan(recipe, memo)
    assert len(read) == 2
    (tmp_path / "test.csv").write_text(ROWS + "Tor!,spam\n")
    for _ in range(2):
        with pytest.raises(RecipeError, match=r"test\.csv:4: unknown label 'spam'"):
            plan(recipe, memo)
    (tmp_path / "test.csv").write_text(ROWS)
    labels = "labels: [sports, weather, spam]\n    train:"
    recipe.write_text(RECIPE.replace("train:", labels, 1))  # another task
    plan(recipe, memo)
    assert read[-2:] == ["train en", "test en"]


def test_a_node_reads_none(recipe: Path, read: list[str], tmp_path: Path) -> None:
    found = plan(recipe, tmp_path / "memo.json")
    read.clear()
    keys = [stage.key for stage in with_keys(found, DigestMemo(), Problems("r.yaml"), rows=False)]
    assert keys == [stage.key for stage in found.stages] and not read


def test_rows_that_are_not_scored_are_not_looked_at(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "unlabelled.csv").write_text("text\nEs regnet.\nJa,nein,doch\n")
    plan(recipe, tmp_path / "memo.json")
    measured = RECIPE + f'  - {{name: b, stage: benchmark, models: ["{MODEL}"], task: topics}}\n'
    recipe.write_text(measured)  # which reads them
    with pytest.raises(RecipeError, match=r"unlabelled\.csv:3"):
        plan(recipe, tmp_path / "memo.json")


def test_stages_that_read_labelled_rows_alone() -> None:
    asked = evaluate.Config(name="s", stage="evaluate", models=("t",), tasks=("xnli",))
    (need,) = evaluate.data(asked, None)  # type: ignore[arg-type]
    tokens = fertility.Config(name="f", stage="fertility", models=("t",), task="xnli")
    (other,) = fertility.data(tokens, None)  # type: ignore[arg-type]
    assert need.labelled and other.labelled
