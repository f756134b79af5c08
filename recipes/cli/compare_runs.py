"""Compare runs: find their records, write one report of all.

>>> compare_runs(["mine", "laptop=from-laptop/report.json"], Path("comparison")).report
PosixPath('comparison/report.html')
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.errors import RecipesError

if TYPE_CHECKING:
    from evalsuite.report.figures.merge_runs import Run
    from evalsuite.results.run import RunRecord

FILES = {"report.html", "report.md", "report.json", "summary.txt"}
NAMED = re.compile(r"(?P<name>[\w.+-]+)=(?P<run>.+)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was written, the summary for a terminal, and the runs by their names."""

    report: Path
    summary: str
    records: tuple[tuple[str, RunRecord], ...]


def compare_runs(
    runs: Sequence[str],
    out: Path,
    *,
    workspace: Path | None = None,
    mix_sources: bool = False,
) -> Comparison:
    """Write `report.html`, `.md` and `.json` of several runs to `out`, whole or not at all.

    Args:
        runs: recipes that were run, folders, or `report.json` files; `NAME=RUN` names one.
        out: made, or replaced where it is an earlier comparison.

    Raises:
        RecipesError: a run is not found, or `out` holds something else.
        EvalsuiteError: the runs cannot be read, or should not be compared.
    """
    from evalsuite.report.figures.merge_runs import merge, run_names
    from evalsuite.report.output import page

    _require_ours(out)
    found = [read_run(text, workspace) for text in runs]
    merged = merge(found, mix_sources=mix_sources)
    part = out.absolute().with_name(f".{out.absolute().name}-{uuid.uuid4().hex}")
    trash = part.with_suffix(".old")
    try:
        page.write(merged, part)
        summary = (part / "summary.txt").read_text(encoding="utf-8")
        if out.exists():
            out.rename(trash)
        part.rename(out)
    except OSError as error:
        raise RecipesError(
            f"{out} cannot be written: {error.strerror or error}\nchoose another: --out DIR"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(trash, ignore_errors=True)
    named = zip(run_names(found), (run.record for run in found), strict=True)
    return Comparison(out / "report.html", summary, tuple(named))


def read_run(text: str, workspace: Path | None) -> Run:
    """A run by what names it; `NAME=RUN` where there is no file of that whole name.

    Raises:
        RecipesError: it was not run, or made no report.
        DataError: its `report.json` is absent, or not one of this version.
    """
    from evalsuite.report.figures.merge_runs import Run
    from evalsuite.report.output.read_report import read
    from recipes.execution.find_outputs import find_record

    named = None if os.path.lexists(text) else NAMED.fullmatch(text)
    name, what = (named["name"], named["run"]) if named else ("", text)
    return Run(read(find_record(what, workspace)), what, name)


def export(
    records: Sequence[tuple[str, RunRecord]], csv: Path | None, parquet: Path | None
) -> None:
    """Write every score and speed to the files that are asked for.

    Raises:
        DataError: a file cannot be written.
    """
    from evalsuite.report.output.export import write_csv, write_parquet

    if csv is not None:
        write_csv(records, csv)
    if parquet is not None:
        write_parquet(records, parquet)


def _require_ours(out: Path) -> None:
    """Nothing, or a comparison, is where one is to be written."""
    if out.is_dir():
        others = sorted({path.name for path in out.iterdir()} - FILES)
        if not others:
            return
        listed = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        raise RecipesError(
            f"{out} has other files in it ({listed}), and a comparison replaces the whole folder\n"
            "choose another: --out DIR"
        )
    if out.exists():
        raise RecipesError(f"{out} is a file; choose a folder: --out DIR")
