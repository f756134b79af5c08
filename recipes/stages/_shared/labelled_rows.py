"""Whether the rows that a stage scores have labels, and its languages rows, before the run.

>>> refuse_unlabelled("languages", find_task("topics"), "test", ("de",))
StageInputError: languages: topics: its test rows in de have no labels, so they cannot be ...

The files of a declared task are looked at; other rows are read when the stage runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalsuite.data.unlabelled import unlabelled
from evalsuite.errors import DataError
from evalsuite.own.own_task import OwnTask
from evalsuite.task import DataSource, Split, Task
from recipes.errors import StageInputError

_FILES = DataSource("files")


def refuse_unlabelled(
    key: str, task: Task, split: Split | None = None, languages: Sequence[str] = ()
) -> None:
    """Raise StageInputError where the rows to be scored have no labels.

    Args:
        key: of the stage, which the message begins with.
        split: default: the one that the task is evaluated on.
        languages: as `unlabelled` takes them.
    """
    if not isinstance(task, OwnTask):
        return
    try:
        problem = unlabelled(task, _FILES, split or task.eval_split(_FILES), languages)
    except DataError:  # a faulty file is noted where the task is declared
        return
    if problem:
        raise StageInputError(f"{key}: {problem}")


def languages_of(task: Task, split: Split | None = None) -> tuple[str, ...]:
    """Languages that may have rows in a split; of a declared task those with a file."""
    if not isinstance(task, OwnTask):
        return task.languages
    return task.readable(_FILES, split or task.eval_splits[0]) or task.languages


def refuse_unknown_languages(
    asked: Sequence[str] | None, known: Mapping[str, Sequence[str]]
) -> None:
    """Raise StageInputError with every language that a task does not have, a line per task.

    >>> refuse_unknown_languages(("de", "xx", "German"), {"topics": ("de", "sw")})
    StageInputError: languages: topics has no 'xx' and no 'German'; it has de sw

    Args:
        known: task -> its languages.
    """
    lines = []
    for task, languages in known.items():
        if absent := [repr(code) for code in asked or () if code not in languages]:
            lines.append(f"{task} has no {' and no '.join(absent)}; it has {' '.join(languages)}")
    if lines:
        raise StageInputError("languages: " + "\n".join(lines))
