"""Arguments and options of `lingopress init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recipes.cli.options import folder

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Files with labelled rows, or folders of them."),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Encoder to start from: a folder, RECIPE:STAGE of a run, or a hub name; default: "
        "intfloat/multilingual-e5-small.",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option("--budget", metavar="12MB|5ms", help="Size or time the student may take."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="The recipe; default: NAME.yaml."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a recipe that exists.")]
TaskNameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the task; default: that of the folder or file."),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="What a row is: classification, pair, tagging ..."),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="text=A,label=B",
        help="Columns by name, or by number from 1 where the file names none.",
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help="Of files whose names do not say it."),
]
TrainOn = Annotated[
    str | None,
    typer.Option(
        "--train-on", metavar="CODES", help="Languages to train on: en,de; default: all rows."
    ),
]
ParallelText = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        parser=folder,
        metavar="DIR",
        help="Where parallel text is, for the student and its vocabulary.",
    ),
]
TextFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        metavar="FILE",
        help="Text in the languages to be kept in the vocabulary; may be given several times.",
    ),
]
