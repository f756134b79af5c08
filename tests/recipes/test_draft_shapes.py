"""Shapes of models that `lingopress init` reads, and the students that fit a budget."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from drafts import CSV, TEST, table
from tiny_families import tiny_checkpoint

from evalsuite.errors import OfflineError
from evalsuite.opening.hub import HubId
from recipes.drafting.budget import Shape, read_budget, student_for
from recipes.drafting.new_recipe import Wishes, draft
from recipes.errors import RecipesError
from recipes.execution.run_note import RunNote
from recipes.execution.workspace import Workspace


@pytest.mark.parametrize("budget", ["200MB", "80MB", "32MB", "12MB", "5ms", "2ms"])
def test_the_student_is_expected_to_fit_the_budget(budget: str) -> None:
    shape, wanted = Shape(12, 384, 1536, 250_002), read_budget(budget)
    student = student_for(shape, wanted, can_trim=True)
    assert 2 <= student.layers <= 6
    if wanted.megabytes is not None:
        assert shape.megabytes(student) <= wanted.megabytes
        assert (student.pieces is None) == (wanted.megabytes > 60)
    else:
        assert shape.milliseconds(student.layers) <= (wanted.milliseconds or 0)


def test_narrower_words_leave_room_for_more_pieces() -> None:
    wide, narrow = (Shape(12, 384, 1536, 250_002, words) for words in (None, 160))
    assert (wide.words, narrow.words) == (384, 160)
    budget = read_budget("40MB")
    cut, kept = (student_for(shape, budget, can_trim=True) for shape in (wide, narrow))
    assert cut.pieces is not None and kept.pieces is None
    assert narrow.megabytes(kept) <= 40


def test_the_shape_of_a_model_of_the_hub_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    Path("d/train.csv").write_text(CSV)
    Path("d/test.csv").write_text(table(TEST))
    large = {"num_hidden_layers": 24, "hidden_size": 1024, "vocab_size": 250_002}
    Path("hub").mkdir()
    Path("hub/config.json").write_text(json.dumps({"model_type": "xlm-roberta", **large}))
    monkeypatch.setattr(HubId, "fetch_config", lambda self: Path("hub"))
    wishes = Wishes(model="FacebookAI/xlm-roberta-large", language="en")
    text = draft([Path("d")], wishes).path.read_text()
    assert "learning_rate: 2.0e-5" in text

    def offline(self: HubId) -> Path:
        raise OfflineError("the hub does not answer")

    monkeypatch.setattr(HubId, "fetch_config", offline)
    made = draft([Path("d")], replace(wishes, force=True))
    assert any("config.json of FacebookAI/xlm-roberta-large could not" in n for n in made.notes)
    with pytest.raises(RecipesError, match="--budget needs the size of FacebookAI/xlm-roberta-lar"):
        draft([Path("d")], replace(wishes, force=True, budget="20MB"))


def test_a_stage_of_a_run_is_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text(CSV)
    Path("test.csv").write_text(table(TEST))
    space, encoder = Workspace(tmp_path / "space"), tiny_checkpoint("xlm-roberta", None)
    space.write_run(RunNote(recipe="made", stages={"small": str(encoder)}), {})
    wishes = Wishes(model="made:small", language="en", workspace=tmp_path / "space")
    path = draft([Path("train.csv"), Path("test.csv")], wishes).path
    assert yaml.safe_load(path.read_text())["stages"][0]["model"] == str(encoder)
    with pytest.raises(RecipesError, match="the last run of made has no stage 'smal'"):
        draft([Path("train.csv")], replace(wishes, model="made:smal", force=True))
