"""Commands on the cache of finished stages."""

from __future__ import annotations

import typer

from recipes.cli.options import Debug, Space

app = typer.Typer(
    help="Check the cache of finished stages.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _cache() -> None:
    pass


@app.command()
def verify(workspace: Space = None, debug: Debug = False) -> None:
    """Read every finished stage and list what is damaged; exit code 1 where anything is."""
    from recipes.execution.verify import verify as read_all
    from recipes.execution.workspace import Workspace, size_text

    found = read_all(Workspace(workspace))
    for stage in found.damaged:
        name = f" (stage {stage.label})" if stage.label else ""
        typer.echo(f"damaged: {stage.path}{name}: {stage.problem}")
    read = f"{found.stages} stages, {found.files} files, {size_text(found.bytes)} read"
    if not found.damaged:
        typer.echo(f"{read}: nothing is damaged")
        return
    typer.echo(
        f"{read}: {len(found.damaged)} damaged\n"
        "run the recipes that have these stages again: a damaged stage is made again"
    )
    raise typer.Exit(1)
