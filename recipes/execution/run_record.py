"""What a run left behind, and noting it in the workspace.

>>> note(load("demo.yaml"), space, stages).report
Path('.lingopress/stages/report-1f0c.../report.html')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalsuite.results.run import StageRecord
from recipes.execution.run_note import RunNote
from recipes.execution.workspace import Workspace
from recipes.parsing.recipe_file import Loaded


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """One stage after a run."""

    label: str
    kind: str
    path: Path
    record: StageRecord
    cached: bool


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run; `folder` holds `run.json` and links to the outputs.

    `recommended` are the outputs of the point a search recommends, one a variant of the candidate;
    `kept` are stages that were not asked for and were finished before.
    """

    recipe: str
    stages: tuple[StageOutcome, ...]
    folder: Path
    report: Path | None
    recommended: tuple[StageOutcome, ...] = ()
    kept: tuple[StageOutcome, ...] = ()


def note(
    loaded: Loaded,
    space: Workspace,
    stages: Sequence[StageOutcome],
    recommended: Sequence[StageOutcome] = (),
    kept: Sequence[StageOutcome] = (),
) -> RunOutcome:
    """Write `runs/<recipe>/`: links to every output, and `run.json`."""
    report = _last_report(stages)
    known = _last_report((*kept, *stages))
    recipe = loaded.recipe.name
    written = RunNote(
        recipe=recipe,
        file=str(loaded.path.absolute()),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        stages={stage.label: str(stage.path) for stage in (*stages, *kept)},
        report=str(known) if known else None,
        recommended=tuple(stage.label for stage in recommended),
    )
    folder = space.write_run(written, {stage.label: stage.path for stage in (*stages, *kept)})
    return RunOutcome(recipe, tuple(stages), folder, report, tuple(recommended), tuple(kept))


def _last_report(stages: Sequence[StageOutcome]) -> Path | None:
    """The page of the last report among stages."""
    reports = [stage.path for stage in stages if stage.kind == "report"]
    return report_file(reports[-1]) if reports else None


def report_file(directory: Path) -> Path:
    """The page to open in a report's directory."""
    for name in ("report.html", "index.html", "report.md"):
        if (directory / name).is_file():
            return directory / name
    return directory
