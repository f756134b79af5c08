"""Commands that run one model over rows: predictions and vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recipes.cli.comma_list import comma_list
from recipes.cli.options import REQUIRED, Debug, Plugin, Space, taking
from recipes.errors import RecipesError

if TYPE_CHECKING:
    from evalsuite.bulk.answer_rows import Watch
    from evalsuite.bulk.journal import Done
    from evalsuite.bulk.run_model import Job


def _note_output(ctx: typer.Context, value: Path | None) -> Path | None:
    ctx.meta["lingopress.output"] = value
    return value


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A directory, RECIPE:STAGE of a run, or package:NAME/FOLDER."
    ),
]
Input = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="Rows: .csv, .tsv, .jsonl, .parquet, also .gz or .zst; others, and - for standard "
        "input, are plain lines.",
    ),
]
Result = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        callback=_note_output,
        help="Write here, whole or not at all; after a kill the same command goes on. Default: "
        "standard output.",
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="FORM", help="Form of FILE: lines, csv, tsv, jsonl, parquet."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="FORM", help="Form of the output, where its name does not say."),
]
Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAME,...",
        help="Columns that hold the texts; numbers from 1 where the file has no line of names. "
        "A name with a comma: '\"Title, short\"'.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first bad row, exit code 2.")]
Alone = Annotated[
    bool,
    typer.Option("--alone", help="Run each row by itself: slower, its answer depends on no other."),
]


Prefix = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Put before each text, such as 'query: '; default what the model declares.",
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Put the prefix of this name before each text, such as query or passage, that the "
        "model declares.",
    ),
]
Dimensions = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Keep the first N numbers of each vector, at length 1; default all.",
    ),
]
Layer = Annotated[
    int | None, typer.Option(metavar="N", help="Layer that is pooled; default the last.")
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Language of all rows, such as de: a cascade may have a threshold of it.",
    ),
]
_SHARED: dict[str, tuple[Any, Any]] = {  # parameter -> its annotation and default
    "model": (Model, REQUIRED),
    "file": (Input, "-"),
    "output": (Result, None),
    "form": (From, None),
    "to": (To, None),
    "columns": (Columns, ""),
    "strict": (Strict, False),
    "alone": (Alone, False),
    "workspace": (Space, None),
    "plugin": (Plugin, None),
    "debug": (Debug, False),
}


@taking({**_SHARED, "language": (Language, None)})
def predict(**given: Any) -> None:
    """Predict each row; the input's columns are kept. In plain lines a tab parts two texts."""

    def run(directory: Path, job: Job, watch: Watch) -> Done:
        from evalsuite.bulk.run_model import predict_file

        return predict_file(directory, job, watch)

    _run(given, run)


@taking(
    {
        **_SHARED,
        "prefix": (Prefix, None),
        "prompt": (Prompt, None),
        "dimensions": (Dimensions, None),
        "layer": (Layer, None),
    }
)
def embed(**given: Any) -> None:
    """Write a vector of length 1 per row: .npy, .jsonl or .parquet."""

    def run(directory: Path, job: Job, watch: Watch) -> Done:
        from evalsuite.bulk.run_model import Vectors, embed_file

        vectors = Vectors(**{name: given[name] for name in Vectors.__slots__})
        return embed_file(directory, job, watch, vectors)

    if given["prefix"] is not None and given["prompt"] is not None:
        raise RecipesError("--prefix and --prompt both say what is put before texts; give one")

    _run(given, run)


def _run(given: Mapping[str, Any], run: Callable[[Path, Job, Watch], Done]) -> None:
    from recipes.cli.row_progress import RowProgress
    from recipes.execution.find_outputs import find_model

    directory = find_model(given["model"], given["workspace"])
    job = _job(given)
    with RowProgress(job.output) as progress:
        done = run(directory, job, progress)
        progress.finish(done)


def _job(given: Mapping[str, Any]) -> Job:
    from evalsuite.bulk.open_rows import INPUT_FORMS, Reading
    from evalsuite.bulk.run_model import Job
    from recipes.parsing.problems import suggest

    form, columns = given["form"], [*filter(None, comma_list(given["columns"]))]
    if form is not None and form not in INPUT_FORMS:
        raise RecipesError(
            f"--from: no form {form!r}{suggest(form, INPUT_FORMS)}\nallowed: "
            f"{', '.join(INPUT_FORMS)}"
        )
    reading = Reading(form, tuple(columns))
    return Job(
        given["file"],
        given["output"],
        given["to"],
        reading,
        strict=given["strict"],
        alone=given["alone"],
        language=given.get("language"),
    )
