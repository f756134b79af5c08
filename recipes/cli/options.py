"""Arguments and options that commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def _note_debug(ctx: typer.Context, value: bool) -> bool:
    ctx.meta["lingopress.debug"] = value
    return value


def _load_plugins(files: list[Path] | None) -> list[Path] | None:
    if files:
        from evalsuite import plugins

        for file in files:
            plugins.load(file)
    return files


def written(text: str) -> str:
    """What a person wrote; nothing, as of a variable that is not set, is refused."""
    if not text.strip():
        raise typer.BadParameter("it is empty; give a value, or leave the option out")
    return text


def folder(text: str) -> Path:
    """A folder that a person named; `""` would be the current one."""
    return Path(written(text))


RecipeArg = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file, or a name from `ls recipes`.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="seed=2, matrix.size=[base], STAGE.KEY=VALUE."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", parser=folder, metavar="DIR", help="Data as the XTREME scripts download it."
    ),
]
Space = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        parser=folder,
        metavar="DIR",
        envvar="LINGOPRESS_WORKSPACE",
        help="Where outputs are kept; default .lingopress",
    ),
]
SharedAddress = Annotated[
    str | None,
    typer.Option(
        "--cache",
        parser=written,
        metavar="ADDRESS",
        envvar="LINGOPRESS_CACHE",
        help="Finished stages that machines share: a directory, or s3://bucket/folder.",
    ),
]
OnCluster = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="CLUSTER",
        help="Make the stages on the nodes of a Ray cluster: ray, or ray://HOST:PORT.",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=1,
        metavar="N",
        help="Make N stages at the same time, on CPUs; with --on, per node.",
    ),
]
OpenIt = Annotated[bool, typer.Option("--open", help="Open it in a browser too.")]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="FILE", help="Write scores, speeds and alignment here too, a row each."
    ),
]
Parquet = Annotated[
    Path | None, typer.Option("--parquet", metavar="FILE", help="The same, as Parquet.")
]
Debug = Annotated[bool, typer.Option("--debug", callback=_note_debug, help="Show tracebacks.")]
Plugin = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        callback=_load_plugins,
        help="A Python file with a task, pass, runtime or metric; it is run. May be repeated.",
    ),
]
REQUIRED = inspect.Parameter.empty  # the default of a parameter that has none


def taking(
    parameters: Mapping[str, tuple[Any, Any]],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command parameters for typer to read.

    Args:
        parameters: name -> its annotation and default.
    """
    found = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in parameters.items()
    ]

    def given(command: Callable[..., None]) -> Callable[..., None]:
        command.__signature__ = inspect.Signature(found)  # type: ignore[attr-defined]
        return command

    return given
