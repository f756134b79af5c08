"""`lingopress serve MODEL...`: answer HTTP requests with checkpoints or bundles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from evalsuite.serving.limits import Limits
from recipes.cli.options import REQUIRED, Debug, Plugin, Space, taking
from recipes.errors import RecipesError

MOST = 1_000_000  # of a time: seconds or milliseconds
_KEY_VARIABLE = "LINGOPRESS_API_KEY"
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...",
        help="Directories, RECIPE:STAGE of a run, or package:NAME/FOLDER; NAME=MODEL gives a name.",
    ),
]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Listen there; 0.0.0.0 is every network.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes a free one.")]
Threads = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Threads per model; default all cores.")
]
Alone = Annotated[
    bool,
    typer.Option("--alone", help="Run each row by itself: slower, its answer depends on no other."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        envvar=_KEY_VARIABLE,
        help="Answer only requests with this key: Authorization: Bearer KEY. Other users of the "
        "machine can read options of commands, so set the variable.",
    ),
]
_PARAMETERS: dict[str, tuple[Any, Any]] = {
    "models": (Models, REQUIRED),
    "host": (Host, "127.0.0.1"),
    "port": (Port, 8000),
    "threads": (Threads, None),
    "alone": (Alone, False),
    "api_key": (ApiKey, None),
    **{
        limit.name: (
            Annotated[
                int if limit.type == "int" else float,
                typer.Option(
                    f"--max-{limit.name}",
                    min=limit.metadata["least"],
                    metavar=limit.metadata["unit"],
                    help=limit.metadata["help"],
                ),
            ],
            limit.default,
        )
        for limit in fields(Limits)
    },
    "workspace": (Space, None),
    "plugin": (Plugin, None),
    "debug": (Debug, False),
}


@taking(_PARAMETERS)
def serve(**given: Any) -> None:
    """Answer HTTP requests with models: labels, tags, answers, vectors. Needs the extra serve."""
    from evalsuite.runtimes._extras import require

    require("serve", "fastapi", "uvicorn", "httptools", "orjson", "prometheus_client")
    from evalsuite.serving.app import create_app
    from evalsuite.serving.served_model import ServedModel
    from evalsuite.serving.server import listen, run

    limits = limits_of(given)
    key = key_of(given["api_key"])
    directories = named(given["models"], given["workspace"])
    with listen(given["host"], given["port"]) as listening:
        models = []
        for name, directory in directories.items():
            model = ServedModel(name, directory, given["threads"], alone=given["alone"])
            typer.echo(f"{name}: {model.kind}, {model.predictor.precision}, {directory}", err=True)
            models.append(model)
        app = create_app(models, limits, key)
        run(app, listening, limits, lambda url: typer.echo(f"serving at {url}", err=True))


def limits_of(given: Mapping[str, Any]) -> Limits:
    """The limits that the options give.

    Raises:
        RecipesError: a time is too long to wait for, or more rows per request than may wait.
    """
    for limit in fields(Limits):
        value = given[limit.name]
        if isinstance(value, float) and not value <= MOST:  # not a number is refused too
            raise RecipesError(
                f"--max-{limit.name} {value:g} is no time that can be waited for\n"
                f"give {MOST} or less, as in: --max-{limit.name} {limit.default:g}"
            )
    limits = Limits(**{limit.name: given[limit.name] for limit in fields(Limits)})
    if limits.rows > limits.queue:
        raise RecipesError(
            f"--max-rows {limits.rows} is more than --max-queue {limits.queue}, so that such a "
            "request could never be answered\nraise --max-queue"
        )
    return limits


def key_of(option: str | None) -> str | None:
    """The key of the server; typer takes a variable that is empty for one that is not set.

    Raises:
        KeyFormError: the option or the variable is empty, or no header can hold it.
    """
    from evalsuite.serving.api_key import checked

    key = os.environ.get(_KEY_VARIABLE) if option is None else option
    return None if key is None else checked(key)


def named(models: Sequence[str], workspace: Path | None) -> dict[str, Path]:
    """Directories by the names they are served under; a path that exists is never NAME=MODEL.

    >>> named(["xnli=runs/int8", "names:int8[size=base]"], None)
    {'xnli': Path('runs/int8'), 'int8[size=base]': Path('.lingopress/stages/export-5feceb66...')}

    Raises:
        RecipesError: there is no such model, or two have one name.
    """
    from recipes.cli.compare_runs import NAMED
    from recipes.execution.find_outputs import find_model

    found: dict[str, Path] = {}
    for text in models:
        given = None if os.path.lexists(text) else NAMED.fullmatch(text)
        model = given["run"] if given else text
        directory = find_model(model, workspace)
        if given:
            name = given["name"]
        else:
            of_a_run = ":" in text and not Path(text).is_dir()
            name = text.partition(":")[2] if of_a_run else directory.resolve().name
        if not name:
            raise RecipesError(f"{text!r} has no name to be served as; type NAME=MODEL")
        if name in found:
            raise RecipesError(
                f"two models would be served as {name!r}\nname one of them, as in: other={model}"
            )
        found[name] = directory
    return found
