"""A file that changes between the plan and a stage's turn: nothing is kept under the old key."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import write

import recipes.planning.plan
from recipes.errors import RecipesError
from recipes.execution.display import Display
from recipes.execution.workspace import Workspace
from recipes.planning import data_digests
from recipes.run import run_recipe
from recipes.stages._shared.contract import DataNeed

RECIPE = """
name: demo
source: files
tasks:
  topics:
    format: classification
    train: {en: train.csv}
    test: {en: test.csv}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [topics]}
  - {name: scores, stage: evaluate, models: [teacher], tasks: [topics]}
"""
CSV = "text,label\nIt rains.,weather\nThey won!,sports\n"


class Edit(Display):
    """Writes a file when something is heard."""

    def __init__(self, file: str, text: str, when: str) -> None:
        self.file, self.text, self.when = Path(file), text, when

    def start(self, label: str, kind: str, before: float = 0.0, where: str = "") -> None:
        self._hear(f"start {label}")

    def update(self, label: str, fraction: float, text: str) -> None:
        self._hear(text)

    def done(self, record, cached) -> None:
        self._hear(f"done {record.name}")

    def say(self, text: str) -> None:
        self._hear(text.partition(":")[0])

    def _hear(self, what: str) -> None:
        if what == self.when:
            self.file.write_text(self.text)


@pytest.fixture
def files(lab, monkeypatch):
    monkeypatch.setattr(recipes.planning.plan, "digest_need", data_digests.digest_need)
    for name in ("train.csv", "test.csv"):
        (lab.folder / name).write_text(CSV)
    return lab


def refused(recipe: str, progress: Display, **options) -> str:
    with pytest.raises(RecipesError) as caught:
        run_recipe(recipe, progress=progress, **options)
    return str(caught.value)


def published() -> list[str]:
    return sorted(path.name.partition("-")[0] for path in Workspace().stages.iterdir())


def test_rows_that_change_before_a_stage_are_not_scored_under_the_old_key(files):
    recipe = files.write(RECIPE)
    said = refused(recipe, Edit("test.csv", CSV + "A goal!,sports\n", "done teacher"))
    assert said == (
        "stage scores (evaluate): the rows of topics changed while the run was under way; it is "
        "not what the run began with\nrun the same command again; finished stages are kept"
    )
    assert published() == ["train"]
    Path("test.csv").write_text(CSV)  # put back
    outcome = run_recipe(recipe)
    assert [stage.label for stage in outcome.stages if stage.cached] == ["teacher"]
    assert run_recipe(recipe).stages[1].cached


@pytest.mark.parametrize("when", ["start teacher", "step 5 of 10"])
def test_a_model_that_changes_while_a_stage_runs_leaves_nothing(files, when):
    recipe, base = files.write(RECIPE), Path("base/config.json")
    said = refused(recipe, Edit(str(base), '{"other": 1}', when))
    assert said.startswith("stage teacher (train): ./base changed while the run was under way; ")
    assert published() == []
    base.write_text("{}")
    teacher = run_recipe(recipe).stages[0]
    assert not teacher.cached and (teacher.path / "config.json").read_text() == "{}"
    assert (teacher.path / "started_at").read_text() == "0"  # nothing of the work was kept


def test_with_a_file_that_is_gone_nothing_is_made(files, monkeypatch):
    recipe = files.write(RECIPE)
    done = Edit("test.csv", "", "done teacher")
    monkeypatch.setattr(done, "_hear", lambda what: Path("test.csv").unlink(missing_ok=True))
    assert "the rows of topics changed while the run was under way" in refused(recipe, done)


def test_the_command_ends_with_the_message_alone(files, capfd, monkeypatch):
    monkeypatch.setattr("recipes.execution.stage_runner.changed", lambda plan, stage, memo: "x.txt")
    assert files.cli("run", files.write(RECIPE), "--from", "teacher") == 2
    assert capfd.readouterr().err == (
        "error: stage teacher (train): x.txt changed while the run was under way; it is not what "
        "the run began with\nrun the same command again; finished stages are kept\n"
        "but without --from, which would make finished stages again\n"
    )


def test_a_model_that_changes_between_trials_ends_the_search(bench):
    recipe, base = write(bench, trials=2), Path("base/config.json")
    said = refused(recipe, Edit(str(base), '{"other": 1}', "trial 2 of 2"))
    assert ": what stage teacher reads changed while the run was under way; " in said
    base.write_text("{}")
    first = {path.name for path in Workspace().stages.iterdir()}
    outcome = run_recipe(recipe)
    assert first <= {stage.path.name for stage in outcome.stages}


def test_what_is_read_has_a_name():
    for need, name in (
        (DataNeed("xnli", "eval"), "the rows of xnli"),
        (DataNeed("xnli", "train", ("en",)), "the train rows of xnli"),
        (DataNeed("./lines.txt", "file"), "./lines.txt"),
        (DataNeed("parallel if any", "parallel"), "the parallel text"),
        (DataNeed("held out", "held out"), "the held out text"),
    ):
        assert data_digests.need_text(need) == name
