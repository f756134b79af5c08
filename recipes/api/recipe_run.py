"""Run a recipe from Python.

>>> result = run("recipe.yaml", data_dir="data")
>>> result.scores[0].task, result.scores[0].zero_shot()
('topics', 81.2)
>>> result["int8"].predict(["It rains."])
[{'label': 'weather', 'scores': {...}}]
"""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.errors import UnknownNameError
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult
from recipes.api.model import Model
from recipes.api.notebook import framed
from recipes.errors import RecipeError
from recipes.execution.run_options import RunOptions
from recipes.execution.run_record import RunOutcome, StageOutcome
from recipes.stages._shared.read_measurements import read

if TYPE_CHECKING:
    from recipes.execution.display import Display
    from recipes.planning.planned import Plan

_RECORDS = {"evaluate": "scores", "benchmark": "speed"}


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        recipe: name of the recipe.
        stages: what each stage made: `label`, `kind`, `path`, `record`, `cached`.
        scores: a result per model and task: `metrics[name][language]` in percent, intervals,
            `zero_shot()`, and the model and data they are of.
        speeds: a result per model that was measured.
        folder: links to all outputs.
        report: the page; None where no stage writes one.
        recommended: outputs of the point that a search recommends.
    """

    recipe: str
    stages: tuple[StageOutcome, ...]
    scores: tuple[TaskResult, ...]
    speeds: tuple[SpeedResult, ...]
    folder: Path
    report: Path | None
    recommended: tuple[StageOutcome, ...] = ()

    def __getitem__(self, label: str) -> Model:
        """The model that a stage made.

        Raises:
            UnknownNameError: no stage has this label.
        """
        for stage in self.stages:
            if stage.label == label:
                return Model(stage.path)
        raise UnknownNameError("stage", label, (stage.label for stage in self.stages))

    def _repr_html_(self) -> str:
        """The report, or a list of the stages where there is none."""
        if self.report is not None and self.report.suffix == ".html":
            return framed(self.report)
        rows = "".join(
            f"<tr><td>{html.escape(stage.label)}</td><td>{html.escape(stage.kind)}</td>"
            f"<td>{'cached' if stage.cached else f'{stage.record.seconds:.1f} s'}</td></tr>"
            for stage in self.stages
        )
        return f"<table><tr><th>stage</th><th>kind</th><th>time</th></tr>{rows}</table>"


def run(
    recipe: str | Path,
    *,
    data_dir: str | Path | None = None,
    workspace: str | Path | None = None,
    overrides: Mapping[str, object] | Sequence[str] = (),
    jobs: int = 1,
    on: str | None = None,
    quiet: bool = False,
) -> Run:
    """Run a recipe; what is done already is not done again.

    Args:
        recipe: a file, or the name of a recipe that ships.
        data_dir: data as the XTREME scripts download it.
        workspace: where outputs are kept; default `.lingopress`.
        overrides: as `--set`: `{"seed": 2, "student.layers": 3, "scores.prefix": "query: "}`; in a
            mapping only a plain word or number is read as YAML, other text is taken as it is.
        jobs: number of stages at the same time; on a cluster, per node.
        on: `ray` or `ray://HOST:PORT`, to make the stages on the nodes of a cluster.
        quiet: print nothing.

    Raises:
        RecipeError: the recipe is wrong; its message lists every mistake.
        RecipesError, EvalsuiteError, TransferError, CompressError: what the command line shows as
            a message, `lingopress.ERRORS`.
    """
    from recipes.execution.display import Display as Silent
    from recipes.execution.display import make_display
    from recipes.execution.output_capture import own_stdout
    from recipes.run import run_recipe

    given = overrides.items() if isinstance(overrides, Mapping) else None
    settings = [f"{key}={_as_yaml(value)}" for key, value in given] if given else [*overrides]
    with own_stdout() as stream:

        def display(plan: Plan) -> Display:
            labels, kinds = zip(*((stage.label, stage.kind) for stage in plan.stages), strict=True)
            for note in plan.loaded.problems.shown_notes():
                print(note, file=sys.stderr)
            return make_display(stream, [*labels], [*kinds], quiet=False)

        outcome = run_recipe(
            str(recipe),
            overrides=settings,
            data_dir=Path(data_dir) if data_dir else None,
            workspace=Path(workspace) if workspace else None,
            options=RunOptions(jobs=jobs, on=on),
            progress=Silent() if quiet else display,
        )
    return _as_run(outcome)


def _as_run(outcome: RunOutcome) -> Run:
    measured = read(
        (_RECORDS[stage.kind], stage.path) for stage in outcome.stages if stage.kind in _RECORDS
    )
    return Run(
        outcome.recipe,
        outcome.stages,
        measured["scores"],
        measured["speeds"],
        outcome.folder,
        outcome.report,
        outcome.recommended,
    )


def _as_yaml(value: object) -> str:
    """A value as `--set` reads it.

    >>> _as_yaml("2"), _as_yaml("query: "), _as_yaml([Path("models/small")])
    ('2', '"query: "', '["models/small"]')
    """
    import json

    from recipes.parsing.located_yaml import parse
    from recipes.parsing.problems import Problems

    if isinstance(value, str):
        problems = Problems("")
        read = parse(value, "", problems)
        if read is not None and read.written == value and not problems:
            return value
    return json.dumps(value, ensure_ascii=False, default=_as_json)


def _as_json(value: object) -> str | int | float:
    """A path as text, a number of numpy as one of Python.

    Raises:
        RecipeError: it is something else.
    """
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise RecipeError(
        f"overrides: {value!r} is no value of a recipe\n"
        "give text, a path, a number, True, False, None, a list or a mapping"
    )
