"""Run a recipe and show what it does, on a terminal or line by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from recipes.execution.display import Display
    from recipes.execution.run_options import RunOptions
    from recipes.execution.run_record import RunOutcome
    from recipes.planning.planned import Plan


def run_shown(
    recipe: str,
    overrides: Sequence[str],
    data_dir: Path | None,
    workspace: Path | None,
    options: RunOptions,
    *,
    quiet: bool = False,
) -> RunOutcome:
    """See `recipes.run.run_recipe`; raises as it does."""
    from recipes.execution.display import make_display
    from recipes.execution.output_capture import own_stdout
    from recipes.run import run_recipe

    with own_stdout() as stream:

        def display(plan: Plan) -> Display:
            for note in plan.loaded.problems.shown_notes():
                typer.echo(note, err=True)
            labels = [stage.label for stage in plan.stages]
            return make_display(stream, labels, [s.kind for s in plan.stages], quiet=quiet)

        return run_recipe(
            recipe,
            overrides=overrides,
            data_dir=data_dir,
            workspace=workspace,
            options=options,
            progress=display,
        )
