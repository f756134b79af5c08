"""`lingopress push MODEL REPO`: put a model on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recipes.cli.options import Debug, Space
from recipes.errors import RecipesError


def push(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A directory, RECIPE:STAGE of a run, or package:NAME/FOLDER."
        ),
    ],
    repo: Annotated[str, typer.Argument(metavar="REPO", help="org/name on the hub.")],
    card: Annotated[
        Path | None,
        typer.Option(
            "--card",
            metavar="FILE",
            help="Model card to add; default: that of the run's report, if there is one.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REPO", help="Of an adapter: org/name of the model it belongs to."
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Everybody may see it; default: private.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what goes up; ask nothing of the hub.")
    ] = False,
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Put a checkpoint, an adapter or a bundle on the hub, with its card, in one commit."""
    from evalsuite.hub import push as hub
    from recipes.execution.find_outputs import find_model

    directory = find_model(model, workspace)
    named = str(card or "the card of the report")
    files = hub.uploads(directory, _card(card, model, workspace), base, named)
    hub.named(repo)
    for file in files:
        typer.echo(f"{file.bytes:>14,}  {file.path}")
    kind = "public" if public else "private"
    total = sum(file.bytes for file in files)
    typer.echo(f"{total:>14,}  bytes in {len(files)} files, to {repo} ({kind} where it is new)")
    if not dry_run:
        typer.echo(hub.push(files, repo, public=public))


def _card(file: Path | None, model: str, workspace: Path | None) -> str | None:
    """The card that was named, or the one that the run's report wrote for that stage."""
    if file is None:
        file = _reported(model, workspace)
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipesError(f"the card {file} cannot be read: {error}") from error


def _reported(model: str, workspace: Path | None) -> Path | None:
    """The file of that card; None where the run made no report, or the report has none of it.

    A report of an older version, or one that has no scores of the model, has none; that is echoed.
    """
    from recipes.execution.find_outputs import last_report
    from recipes.naming import distinct_file_name, is_file

    recipe, colon, label = model.partition(":")
    if not colon or Path(model).is_dir():
        return None
    try:
        report = last_report(recipe, workspace)
    except RecipesError:  # it made no report
        return None
    file = report.parent / "cards" / f"{distinct_file_name(label)}.md"
    if is_file(file):
        return file
    typer.echo(
        f"the report of {recipe} has no card of {label}, so no scores go up; run the recipe again, "
        "with a stage that evaluates the model, or name a card: --card FILE",
        err=True,
    )
    return None
