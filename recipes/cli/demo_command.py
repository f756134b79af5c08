"""demo: a page that runs a bundle in a browser."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from recipes.cli.options import Debug, Space


def demo(
    model: Annotated[
        str,
        typer.Argument(metavar="BUNDLE", help="A bundle: a directory, or RECIPE:STAGE of a run."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the page.")],
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            metavar="FOLDER",
            help="Where `npm install @huggingface/transformers` was run; default: npm fetches it.",
        ),
    ] = None,
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Heading; default: the stage or folder.")
    ] = "",
    workspace: Space = None,
    debug: Debug = False,
) -> None:
    """Write a page that runs a bundle for ONNX Runtime in a browser, without a network."""
    from compress.export.demo.build import build
    from recipes.execution.find_outputs import find_model

    directory = find_model(model, workspace)
    shown = directory.resolve().name if Path(model).is_dir() else model
    build(directory, out, library=library, title=title or shown)
    command = shlex.join(["python", "-m", "http.server", "--directory", str(out)])
    typer.echo(f"{out / 'index.html'}\nto look at it, type: {command}")
