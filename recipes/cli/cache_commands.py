"""Commands on the cache of finished stages, of this machine or shared."""

from __future__ import annotations

from typing import Annotated

import typer

from recipes.cli.options import DataDir, Debug, RecipeArg, Set, Space, written
from recipes.errors import RecipesError

app = typer.Typer(
    help="List, check, copy and clear finished stages, of this machine or shared.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SharedOnly = Annotated[
    str,
    typer.Option(
        "--cache",
        parser=written,
        metavar="ADDRESS",
        envvar="LINGOPRESS_CACHE",
        help="The shared cache: a directory, or s3://bucket/folder.",
    ),
]

# Not from the variable: what a person sets for runs must not decide what is removed.
SharedAsked = Annotated[
    str | None,
    typer.Option(
        "--cache",
        parser=written,
        metavar="ADDRESS",
        help="Those of this shared cache, in place of the workspace: a directory, or s3://bucket.",
    ),
]


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


@app.command("ls")
def list_stages(cache: SharedAsked = None, workspace: Space = None, debug: Debug = False) -> None:
    """List finished stages: size, when they were finished, and the runs that name them."""
    from recipes.cli.listings import cache_table
    from recipes.execution.cached_stages import in_shared, in_workspace
    from recipes.execution.shared_cache import SharedCache
    from recipes.execution.stopped_work import unfinished
    from recipes.execution.workspace import Workspace, size_text

    if cache:
        typer.echo(cache_table(in_shared(SharedCache(cache))))
        return
    space = Workspace(workspace)
    typer.echo(cache_table(in_workspace(space)))
    if works := unfinished(space):
        stages = "1 stage" if len(works) == 1 else f"{len(works)} stages"
        size = size_text(sum(work.bytes for work in works))
        typer.echo(f"work of {stages} not finished yet: {size} in {space.partial}")


@app.command()
def push(
    recipe: RecipeArg, cache: SharedOnly, workspace: Space = None, debug: Debug = False
) -> None:
    """Copy the stages of a recipe's last run to the shared cache."""
    from recipes.execution.copy_stages import push_run
    from recipes.execution.workspace import size_text

    copied = push_run(recipe, workspace, cache)
    there = f", {copied.there} were there already" if copied.there else ""
    typer.echo(f"{copied.stages} stages copied, {size_text(copied.bytes)}{there}")


@app.command()
def pull(
    recipe: RecipeArg,
    cache: SharedOnly,
    overrides: Set = None,
    data_dir: DataDir = None,
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Copy the stages of a recipe that the shared cache has, and make none."""
    from recipes.execution.workspace import size_text
    from recipes.search.pull_recipe import pull_recipe

    copied = pull_recipe(recipe, overrides or (), data_dir, workspace, cache)
    there = f", {copied.there} were here already" if copied.there else ""
    absent = f", {copied.absent} are not in the shared cache" if copied.absent else ""
    typer.echo(f"{copied.stages} stages copied, {size_text(copied.bytes)}{there}{absent}")
    if copied.damaged:
        lines = "\n".join(copied.damaged)
        raise RecipesError(f"{lines}\nlingopress run makes them here, and puts the cache right")


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option("--keep", min=0, metavar="DAYS", help="Stages that are younger stay.")
    ] = 30,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be removed, and remove nothing.")
    ] = False,
    cache: SharedAsked = None,
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Remove stages that no run names, stopped work, and token files that no training reads."""
    from datetime import timedelta

    from recipes.cli.listings import cache_table
    from recipes.execution import stopped_work, token_files
    from recipes.execution.cached_stages import prune_shared, prune_workspace
    from recipes.execution.shared_cache import SharedCache
    from recipes.execution.workspace import Workspace, size_text

    if keep > 36_500:
        raise RecipesError("--keep: give at most 36500 days")
    age = timedelta(days=keep)
    if cache:
        gone = prune_shared(SharedCache(cache), age, dry_run=dry_run)
    else:
        gone = prune_workspace(Workspace(workspace), age, dry_run=dry_run)
    if gone:
        typer.echo(cache_table(gone))
    done = "would be removed" if dry_run else "removed"
    typer.echo(f"{len(gone)} stages, {size_text(sum(stage.bytes for stage in gone))} {done}")
    if cache:
        return
    unused = token_files.unused(Workspace(workspace), age)
    if not dry_run:
        token_files.remove(unused)
    if unused:
        size = size_text(sum(file.bytes for file in unused))
        typer.echo(f"{len(unused)} files of tokenized text, {size} {done}")
    stopped = stopped_work.unused(Workspace(workspace), age)
    if not dry_run:
        stopped_work.remove(Workspace(workspace), stopped)
    if stopped:
        size = size_text(sum(work.bytes for work in stopped))
        typer.echo(f"work of {len(stopped)} stopped stages, {size} {done}")
