"""Tasks by name, and the scores of a model on one.

>>> tasks()["xnli"].title
'XNLI'
>>> evaluate(open_model("int8"), "xnli", data_dir="data").zero_shot()
61.3
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.evaluation import EvaluationOptions
from evalsuite.results.task import TaskResult
from evalsuite.task import DataSource, SourceKind, Split, Task
from recipes.api.model import Model, open_model
from transfer.find_task import CATALOGUES, find_task

if TYPE_CHECKING:
    from evalsuite.inference.predictor import Predictor


def tasks() -> dict[str, Task]:
    """All tasks by name: target tasks, intermediate ones, those of plugins."""
    names = sorted({name for catalogue in CATALOGUES for name in catalogue.names()})
    return {name: find_task(name) for name in names}


def evaluate(
    model: Model | str | Path,
    task: Task | str,
    *,
    data_dir: str | Path | None = None,
    source: SourceKind | None = None,
    languages: Sequence[str] | None = None,
    split: Split | None = None,
    max_examples: int | None = None,
    out: str | Path | None = None,
) -> TaskResult:
    """Score a model on a task, per language.

    Args:
        task: a name of `tasks()`, or a task.
        data_dir: data as the XTREME scripts download it.
        source: `xtreme`, `hub`, `embedded`, or `files` of tasks with their own; default `xtreme`
            where there is a `data_dir`, else `files`.
        languages, split, max_examples: which rows; default all of the task's test rows.
        out: folder where the prediction for each row is written too.

    Raises:
        UnknownNameError: there is no such task or language.
        DataError: rows are absent or malformed.
        ModelError: the labels of the model are not those of the task.
    """
    from evalsuite.evaluate import evaluate as score

    opened = model if isinstance(model, Model) else open_model(model)
    found = find_task(task) if isinstance(task, str) else task
    kind: SourceKind = source or ("xtreme" if data_dir else "files")
    predictor: Predictor = opened.predictor
    options = EvaluationOptions(languages=languages, split=split, max_examples=max_examples)
    with tempfile.TemporaryDirectory() as folder:
        return score(
            predictor,
            found,
            DataSource(kind, Path(data_dir) if data_dir else None),
            label=opened.directory.name,
            out=Path(folder) if out is None else Path(out),
            options=options,
        )
