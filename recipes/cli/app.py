"""The command line: `lingopress run recipe.yaml`.

Each command is one function that calls the library; everything heavy is imported inside it, so
that `--help` and `ls` answer at once. Exit codes: 0; 2 for what a person can put right; 1 for a
stage that broke; 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from recipes import torchrun
from recipes.cli import cache_commands
from recipes.cli.demo_command import demo
from recipes.cli.draft_commands import init, shrink
from recipes.cli.model_commands import embed, predict
from recipes.cli.options import (
    DataDir,
    Debug,
    Jobs,
    OnCluster,
    Plugin,
    RecipeArg,
    Set,
    SharedAddress,
    Space,
)
from recipes.cli.push_command import push
from recipes.cli.result_commands import compare, report, score
from recipes.cli.serve_command import serve
from recipes.errors import RecipesError, StageFailedError, is_persons
from recipes.execution.output_capture import nowhere

_KEEPING = frozenset({"cache", "push", "run", "shrink"})  # commands that go on where they stopped


class _Group(TyperGroup):
    """Turns every exception into a message and an exit code, in one place."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _fail(_without_from(ctx, f"\ninterrupted{_how_to_go_on(ctx)}"), 130)
        except (BrokenPipeError, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if hasattr(error, "exit_code"):  # a usage error, typer prints it
                raise
            if ctx.meta.get("lingopress.debug"):
                import traceback

                traceback.print_exc()
            if is_persons(error):
                said = _without_from(ctx, f"error: {error}")
                _fail(said, 1 if isinstance(error, StageFailedError) else 2)
            if isinstance(error, OSError) and error.filename is not None and error.strerror:
                _fail(
                    f"error: {error.filename}: {error.strerror}\n"
                    "look at that file or folder; with --debug it is shown where it was used",
                    2,
                )
            _fail(
                f"internal error: {type(error).__name__}: {error}\n"
                "run the same command with --debug for the traceback, and report it",
                1,
            )


def _how_to_go_on(ctx: Any) -> str:
    kept = ctx.invoked_subcommand in _KEEPING or ctx.meta.get("lingopress.output") is not None
    return "; run the same command again to go on where it stopped" if kept else ""


def _without_from(ctx: Any, message: str) -> str:
    """A message that advises to run again, for whom `--from` would then make all that anew."""
    if ctx.meta.get("lingopress.from") is None or "run the same command again" not in message:
        return message
    return f"{message}\nbut without --from, which would make finished stages again"


def _note_from(ctx: typer.Context, value: str | None) -> str | None:
    ctx.meta["lingopress.from"] = value
    return value


def _fail(message: str, code: int) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


app = typer.Typer(
    cls=_Group,
    name="lingopress",
    help="Turn a large multilingual encoder into a small, fast one, and measure each step.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"lingopress {version('lingopress')}")
        except PackageNotFoundError:
            typer.echo("lingopress (not installed)")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    recipe: RecipeArg,
    overrides: Set = None,
    data_dir: DataDir = None,
    workspace: Space = None,
    from_stage: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="STAGE",
            callback=_note_from,
            help="Make it, and all that needs it, again.",
        ),
    ] = None,
    until_stage: Annotated[
        str | None,
        typer.Option("--until", metavar="STAGE", help="Make it and what it needs, then stop."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The same as `plan`.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only say where the report is.")] = False,
    jobs: Jobs = 1,
    on: OnCluster = None,
    cache: SharedAddress = None,
    plugin: Plugin = None,
    debug: Debug = False,
) -> None:
    """Run a recipe; what is done already is not done again."""
    if dry_run:
        if from_stage is not None or until_stage is not None:
            raise RecipesError(
                "--dry-run shows all stages of the recipe, whatever --from or --until says\n"
                "leave out those two, or --dry-run"
            )
        plan(recipe, overrides, data_dir, workspace, jobs=jobs, on=on, cache=cache, debug=debug)
        return
    from recipes.cli.running import run_shown
    from recipes.execution.run_options import RunOptions

    options = RunOptions(from_stage, until_stage, debug, jobs, cache, on)
    run_shown(recipe, overrides or (), data_dir, workspace, options, quiet=quiet)


@app.command()
def check(
    recipe: RecipeArg,
    overrides: Set = None,
    data_dir: DataDir = None,
    workspace: Space = None,
    plugin: Plugin = None,
    debug: Debug = False,
) -> None:
    """Say everything that is wrong with a recipe, without running it."""
    from recipes.cli.listings import check_line

    typer.echo(check_line(recipe, overrides or (), data_dir, workspace))


@app.command()
def plan(
    recipe: RecipeArg,
    overrides: Set = None,
    data_dir: DataDir = None,
    workspace: Space = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead, for scripts.")
    ] = False,
    jobs: Jobs = 1,
    on: OnCluster = None,
    cache: SharedAddress = None,
    plugin: Plugin = None,
    debug: Debug = False,
) -> None:
    """Show each stage, in order: done already or not, its key, its time, disk and memory.

    Time is predicted from what the stages compute and a short probe of this machine. With --on one
    node of each kind is probed instead, and it is said which kind each stage would run on.
    """
    from recipes.cli.plan_facts import plan_facts
    from recipes.cli.plan_json import plan_json
    from recipes.cli.plan_lines import plan_table
    from recipes.execution.run_options import RunOptions

    options = RunOptions(debug=debug, jobs=jobs, cache=cache, on=on)
    facts = plan_facts(recipe, overrides or (), data_dir, workspace, options)
    typer.echo(plan_json(facts) if json else plan_table(facts))


@app.command()
def show(
    recipe: RecipeArg,
    overrides: Set = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Every variant, with every default filled in.")
    ] = False,
    plugin: Plugin = None,
    debug: Debug = False,
) -> None:
    """Print a recipe as YAML, after `extends` and `--set`."""
    from recipes.cli.listings import recipe_yaml

    typer.echo(recipe_yaml(recipe, overrides or (), resolved=resolved), nl=False)


@app.command()
def ls(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="recipes, stages, tasks, methods, passes, runtimes or metrics."
        ),
    ] = "recipes",
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="One of the list: its keys, its files (a task), its precisions (a runtime) or "
            "its scores (a metric).",
        ),
    ] = None,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="With stages: the keys of all stages, as a Markdown page."),
    ] = False,
    plugin: Plugin = None,
    debug: Debug = False,
) -> None:
    """List the components, or print what there is to know about one."""
    from recipes.cli.components import LISTS, entries
    from recipes.parsing.problems import suggest

    if what not in LISTS:
        raise RecipesError(
            f"cannot list {what!r}{suggest(what, LISTS)}\nallowed: {', '.join(LISTS)}"
        )
    if markdown:
        from recipes.cli.reference_page import reference_page

        if what != "stages" or name is not None:
            raise RecipesError("--markdown: type lingopress ls stages --markdown")
        typer.echo(reference_page(), nl=False)
        return
    if name is not None:
        from recipes.cli import component_cards

        if what == "recipes":
            raise RecipesError(f"to print a recipe, type: lingopress show {name}")
        card = component_cards.card(what, name)
        if sys.stdout.isatty():
            component_cards.show(card)
        else:
            typer.echo(component_cards.as_text(card))
        return
    found = entries(what)
    width = max((len(entry.name) for entry in found), default=0)
    for entry in found:
        typer.echo(f"{entry.name:<{width}}  {entry.about}".rstrip())


@app.command()
def schema(debug: Debug = False) -> None:
    """Print a JSON Schema of recipes, for editors."""
    import json

    from recipes.cli.recipe_schema import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=1))


for command in (init, shrink, report, compare, predict, embed, serve, push, demo, score):
    app.command()(command)
app.add_typer(cache_commands.app, name="cache")


def main(args: list[str] | None = None) -> None:
    """Entry point of the `lingopress` command; always ends with `SystemExit`."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for some takes 0.1 s
    sys.stdout = sys.stdout or nowhere()
    sys.stderr = sys.stderr or nowhere()
    try:
        if torchrun.leaves():
            raise SystemExit(0)
    except RecipesError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    app(args=args, prog_name="lingopress")


if __name__ == "__main__":
    main()
