"""Runs in one report.

>>> compare(first, "other", out="comparison").report
PosixPath('comparison/report.html')
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.api.notebook import framed
from recipes.api.recipe_run import Run
from recipes.cli.compare_runs import compare_runs

if TYPE_CHECKING:
    from evalsuite.results.run import RunRecord


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report of several runs.

    Attributes:
        report: its page.
        summary: the same in a few lines of text.
        runs: what each run measured, by its name; of several seeds by `name[seed=1]`.
    """

    report: Path
    summary: str
    runs: dict[str, RunRecord]

    def _repr_html_(self) -> str:
        """The report."""
        return framed(self.report)


def compare(
    *runs: Run | str | Path,
    out: str | Path = "comparison",
    workspace: str | Path | None = None,
    mix_sources: bool = False,
) -> Comparison:
    """Write one report of several runs.

    Args:
        runs: runs, recipes that were run, folders of runs, or `report.json` files; `NAME=RUN` names
            one.
        out: folder that is made, or replaced where it is an earlier comparison.
        mix_sources: even if their data is of different sources.

    Raises:
        RecipesError: a run is not found, or has no report.
        EvalsuiteError: the runs should not be compared.
    """
    named = [_named(run) if isinstance(run, Run) else str(run) for run in runs]
    space = Path(workspace) if workspace else None
    found = compare_runs(named, Path(out), workspace=space, mix_sources=mix_sources)
    names = [name for name, _ in found.records]
    own = {
        f"{name}[seed={record.seed}]" if names.count(name) > 1 else name: record
        for name, record in found.records
    }
    return Comparison(found.report, found.summary, own)


def _named(run: Run) -> str:
    """Its own report, since the folder is that of the recipe's last run."""
    return str(run.folder if run.report is None else run.report.with_name("report.json"))
