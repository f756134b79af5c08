"""Commands on what runs left: reports, comparisons, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from recipes.cli.options import Csv, Debug, OpenIt, Parquet, Space


def report(
    run_or_recipe: Annotated[
        str, typer.Argument(metavar="RUN", help="A recipe that was run, or a run's folder.")
    ],
    workspace: Space = None,
    open_it: OpenIt = False,
    csv: Csv = None,
    parquet: Parquet = None,
    debug: Debug = False,
) -> None:
    """Print the path of the last report of a recipe."""
    from recipes.execution.find_outputs import last_report

    path = last_report(run_or_recipe, workspace)
    typer.echo(path)
    if csv or parquet:
        from recipes.cli.compare_runs import export, read_run

        run = read_run(str(path.with_name("report.json")), None)
        export([(run.record.recipe, run.record)], csv, parquet)
    if open_it:
        _open(path)


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Recipes that were run, runs' folders, or report.json files; NAME=RUN names one.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the report of all is written.")
    ] = Path("comparison"),
    csv: Csv = None,
    parquet: Parquet = None,
    mix_sources: Annotated[
        bool, typer.Option("--mix-sources", help="Even if their data is of different sources.")
    ] = False,
    workspace: Space = None,
    open_it: OpenIt = False,
    debug: Debug = False,
) -> None:
    """Put runs, machines or seeds side by side in one report."""
    from recipes.cli.compare_runs import compare_runs, export

    found = compare_runs(runs, out, workspace=workspace, mix_sources=mix_sources)
    export(found.records, csv, parquet)
    typer.echo(found.summary)
    typer.echo(found.report)
    if open_it:
        _open(found.report)


def _open(path: Path) -> None:
    import webbrowser

    webbrowser.open(path.absolute().as_uri())


def score(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="<task>/test-<lang>.tsv or .json.")
    ],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="The same files, right.")],
    file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write every metric and language here too."),
    ] = None,
    benchmark: Annotated[
        Literal["xtreme", "xtreme-r"], typer.Option(help="Whose tasks, languages and means.")
    ] = "xtreme",
    debug: Debug = False,
) -> None:
    """Score folders in XTREME's submission layout, as its own scorer does; no model runs."""
    from evalsuite.submission.benchmark_means import BENCHMARKS
    from evalsuite.submission.score_folders import score_folders
    from recipes.cli.listings import score_table

    found = score_folders(predictions, labels, BENCHMARKS[benchmark])
    typer.echo(score_table(found))
    if file is not None:
        import json
        from dataclasses import asdict

        from recipes.hashing import write_atomically

        write_atomically(file, json.dumps(asdict(found), indent=2))
