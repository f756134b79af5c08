"""`lingopress serve`: which arguments name a model, and which are NAME=MODEL."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.cli.serve_command import named
from recipes.errors import RecipesError
from recipes.execution import find_outputs
from recipes.execution.run_note import RunNote


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders with and without a sign =, and a run of the recipe `mine`."""
    monkeypatch.chdir(tmp_path)
    for folder in ("lr=1/x", "one", "other/one", "made"):
        Path(folder).mkdir(parents=True)
    stages = {"int8[size=base]": "made"}
    monkeypatch.setattr(
        find_outputs, "last_run", lambda recipe, workspace: RunNote(recipe=recipe, stages=stages)
    )


@pytest.mark.parametrize(
    ("text", "name", "folder"),
    [
        ("mine:int8[size=base]", "int8[size=base]", "made"),
        ("small=mine:int8[size=base]", "small", "made"),
        ("./lr=1/x", "x", "lr=1/x"),
        ("lr=1/x", "x", "lr=1/x"),
        ("lr=lr=1/x", "lr", "lr=1/x"),
        ("one", "one", "one"),
        ("a.b-c=other/one", "a.b-c", "other/one"),
    ],
)
def test_a_name_is_given_where_the_whole_is_no_path(text: str, name: str, folder: str) -> None:
    assert named([text], None) == {name: Path(folder)}


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (["=one"], "there is no directory =one\n"),
        (["/"], "'/' has no name to be served as; type NAME=MODEL"),
        (
            ["one", "other/one"],
            "two models would be served as 'one'\nname one of them, as in: other=other/one",
        ),
        (["a=absent"], "there is no directory absent\n"),
    ],
)
def test_what_cannot_be_served_is_said(models: list[str], said: str) -> None:
    with pytest.raises(RecipesError) as caught:
        named(models, None)
    assert str(caught.value).startswith(said)
