"""Values of `--set` and of `overrides` in Python: what can be set, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite.own.declared import declare
from recipes.api.recipe_run import _as_yaml
from recipes.errors import RecipeError
from recipes.parsing.located_yaml import parse
from recipes.parsing.problems import Problems
from recipes.parsing.recipe_file import Loaded, load

SEARCH = """
search: {trials: 8, budget: {MB: 20}, candidate: scores, knobs: {layers: [2, 3]}}
"""
RECIPE = """
name: demo
source: files
resources: {memory: 8 GB}
matrix: {size: [base]}
tasks:
  topics: {format: classification, test: {de: de.csv}, labels: [a, b]}
stages:
  - {name: scores, stage: evaluate, models: ["./${size}"], tasks: [topics]}
"""


@pytest.fixture(autouse=True)
def _rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("de.csv").write_text("text,label\nEs regnet.,a\n")
    yield
    declare({})


def loaded(*overrides: str, more: str = "", without: str = "") -> Loaded:
    text = "\n".join(line for line in RECIPE.splitlines() if not without or without not in line)
    Path("r.yaml").write_text(text + more, encoding="utf-8")
    return load("r.yaml", overrides)


def test_keys_of_tasks_and_of_resources_are_set_one_by_one() -> None:
    found = loaded("tasks.topics.title=X", "tasks.topics.labels=[a, b, true]", "resources.cpus=2")
    assert not found.problems
    topics = found.recipe.tasks["topics"]
    assert (topics.title, topics.labels) == ("X", ("a", "b", "true"))
    assert found.recipe.resources is not None
    assert (found.recipe.resources.cpus, found.recipe.resources.memory) == (2, "8 GB")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "search.trials=3",
            "the recipe has no search; set all of its keys at once: 'search={KEY: VALUE}'",
        ),
        ("tasks.topic.title=X", "no task 'topic'; did you mean 'topics'?\n    tasks: topics"),
        ("seed.x=1", "'seed' holds no keys; write seed=value"),
        ("name.x=1", "'name' holds no keys; write name=value"),
        ("resources.memory.x=1", "'memory' holds no keys"),
        (
            "matrix.size.x=1",
            "a value of a matrix variable has no keys to set; set all values: matrix.<variable>=",
        ),
        ("scores.name=x", "a stage cannot be renamed by --set; edit the recipe"),
        ("scores.tasks.x=1", "'tasks' holds no keys"),
    ],
)
def test_what_cannot_be_set_is_said(override: str, said: str) -> None:
    assert f"--set {override}: {said}" in loaded(override).problems.lines


def test_a_recipe_without_resources_takes_them_as_a_whole() -> None:
    (line,) = loaded("resources.cpus=2", without="resources:").problems.lines
    assert line.endswith("set all of its keys at once: 'resources={KEY: VALUE}'")
    found = loaded("resources={cpus: 2}", without="resources:")
    assert found.recipe.resources is not None and found.recipe.resources.cpus == 2


def test_a_search_that_is_no_mapping_holds_no_keys() -> None:
    assert "--set search.trials=3: 'search' holds no keys" in (
        loaded("search.trials=3", more="\nsearch: 3\n").problems.lines
    )
    assert loaded("search.trials=3", more=SEARCH).recipe.search.trials == 3  # type: ignore[union-attr]


def test_bytes_that_are_not_utf8_are_a_problem_with_its_place() -> None:
    (line,) = loaded("scores.prefix=\udcff").problems.lines
    assert line == (
        "--set scores.prefix=\\udcff: it holds bytes that are not UTF-8; write it as UTF-8"
    )


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("query: ", "query: "),
        ("", ""),
        (" two ends ", " two ends "),
        ("no", "no"),
        ("a # b", "a # b"),
        ("'quoted'", "'quoted'"),
        ("[a, b]", "[a, b]"),
        ("*anchor", "*anchor"),
        ("two\nlines", "two\nlines"),
        ("a=b", "a=b"),
        ("2", 2),
        ("1e-4", 1e-4),
        ("true", True),
        ("word", "word"),
        (["./😀"], ["./😀"]),
        (["2", 'say "x"'], ["2", 'say "x"']),
        (Path("models/small"), "models/small"),
        ([Path("models/small")], ["models/small"]),
        (("de", "sw"), ["de", "sw"]),
        (np.int64(3), 3),
        ([np.float32(0.5)], [0.5]),
        ({"MB": 20, "name": None}, {"MB": 20, "name": None}),
    ],
)
def test_values_of_python_are_read_as_they_are(value: object, read: Any) -> None:
    problems = Problems("r.yaml")
    node = parse(_as_yaml(value), "r.yaml", problems)
    assert node is not None and problems.lines == []
    assert node.plain() == read and type(node.plain()) is type(read)


def test_another_value_of_python_is_named() -> None:
    with pytest.raises(
        RecipeError, match=r"overrides: \{1\} is no value of a recipe\ngive text, a"
    ):
        _as_yaml([{1}])
