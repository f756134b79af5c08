"""Commands that write a recipe for a person: from data files, or for a model that is tuned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recipes.cli.comma_list import comma_list
from recipes.cli.draft_options import (
    BudgetOption,
    ColumnsOption,
    Encoder,
    Force,
    FormatOption,
    LanguageOption,
    Output,
    ParallelText,
    Paths,
    TaskNameOption,
    TextFiles,
    TrainOn,
)
from recipes.cli.options import Debug, Space, folder
from recipes.errors import RecipesError

if TYPE_CHECKING:
    from evalsuite.own.records import Column


def init(  # noqa: PLR0913  options of a command
    paths: Paths,
    model: Encoder = None,
    budget: BudgetOption = None,
    output: Output = None,
    force: Force = False,
    name: TaskNameOption = None,
    format: FormatOption = None,
    columns: ColumnsOption = None,
    language: LanguageOption = None,
    train_on: TrainOn = None,
    data_dir: ParallelText = None,
    text: TextFiles = None,
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Look at labelled files, and write a recipe that makes a small model from them."""
    from recipes.cli.drafted import drafted_text
    from recipes.drafting.new_recipe import MODEL, Wishes, draft

    drafted = draft(
        paths,
        Wishes(
            model=model or MODEL,
            budget=budget,
            output=output,
            force=force,
            name=name,
            format=format,
            columns=_columns(columns),
            language=language,
            train_on=_codes("--train-on", train_on) if train_on else None,
            data_dir=data_dir,
            text=tuple(text or ()),
            workspace=workspace,
        ),
    )
    typer.echo(drafted_text(drafted))


def shrink(  # noqa: PLR0913  options of a command
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A tuned checkpoint: a folder, RECIPE:STAGE of a run, or a hub name.",
        ),
    ],
    languages: Annotated[
        str, typer.Option("--languages", metavar="CODES", help="Languages to keep: en,de,hi.")
    ],
    text: Annotated[
        list[Path] | None,
        typer.Option(
            "--text",
            metavar="FILE",
            help="Text in these languages, a sentence per line, named en.txt; or a folder of such "
            "files; may be given several times.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            parser=folder,
            metavar="DIR",
            help="Where a corpus is, in place of --text.",
        ),
    ] = None,
    task_data: Annotated[
        list[Path] | None,
        typer.Option(
            "--task-data", metavar="PATH", help="Labelled rows, to score before and after."
        ),
    ] = None,
    runtime: Annotated[
        str, typer.Option("--runtime", help="What runs it; lingopress ls runtimes.")
    ] = "onnxruntime",
    precision: Annotated[
        str, typer.Option("--precision", help="Of the weights; lingopress ls runtimes NAME.")
    ] = "int8",
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the result; default: MODEL-small.")
    ] = None,
    write_recipe: Annotated[
        Path | None,
        typer.Option("--write-recipe", metavar="FILE", help="Keep the recipe in this file."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a recipe that exists.")] = False,
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Make a tuned model smaller: trim, quantize, compare, measure, report."""
    from recipes.cli.running import run_shown
    from recipes.drafting.shrunk import ShrinkWishes, prepare
    from recipes.execution.run_options import RunOptions
    from recipes.execution.workspace import Workspace

    prepared = prepare(
        model,
        _codes("--languages", languages),
        ShrinkWishes(
            name=name,
            text=tuple(text or ()),
            data_dir=data_dir,
            task_data=tuple(task_data or ()),
            runtime=runtime,
            precision=precision,
            recipe=write_recipe,
            force=force,
            workspace=workspace,
        ),
        Workspace(workspace).root / "shrink",
    )
    for note in prepared.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"{prepared.path}:\n\n{prepared.path.read_text(encoding='utf-8')}")
    outcome = run_shown(str(prepared.path), (), data_dir, workspace, RunOptions(debug=debug))
    typer.echo(f"bundle: {outcome.folder / 'bundle'}")
    typer.echo(f"to use it, type: lingopress predict {prepared.name}:bundle < lines.txt")


def _codes(option: str, text: str) -> tuple[str, ...]:
    """`en,de` as codes, each once."""
    from evalsuite.guess.language_codes import asked_language, language_of

    written = [code for code in map(str.strip, text.split(",")) if code]
    found = [language_of(code) or asked_language(option, code) for code in written]
    if not found:
        raise RecipesError(f"{option} {text}: write codes, as en,de,hi")
    return tuple(dict.fromkeys(found))


def _columns(text: str | None) -> dict[str, Column | tuple[Column, ...]]:
    """`text=A,label=3` as part of a row -> column; of `labels=joy|fear` several."""
    found: dict[str, Column | tuple[Column, ...]] = {}
    for item in comma_list(text or ""):
        part, equals, column = item.partition("=")
        if not equals or not part.strip() or not column.strip():
            raise RecipesError(
                f"--columns {text}: write PART=COLUMN, as text=message,label=3; where a name has a "
                "comma, '\"text=Title, short\",label=3'"
            )
        several = [
            int(one) if one.lstrip("-").isdecimal() else one
            for one in map(str.strip, column.split("|"))
        ]
        found[part.strip()] = tuple(several) if len(several) > 1 else several[0]
    return found
