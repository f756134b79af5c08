"""What all metrics of tags refuse: tags a task does not have, and tags of other sentences."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.errors import DataError
from evalsuite.metric import Answers


def check(answers: Answers) -> None:
    """Refuse predictions that are not of these rows.

    Raises:
        DataError: a predicted tag is none of the task's.
        ValueError: the two are not of the same sentences.
    """
    task = answers.task
    if strange := {tag for row in answers.predicted for tag in row} - set(task.labels):
        raise DataError(
            f"{task.name}: predicted tags {' '.join(sorted(strange))} are none of "
            f"{' '.join(task.labels)}"
        )
    check_shape(answers.gold, answers.predicted)


def check_shape(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Refuse two tag sequences that are not of the same sentences."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} predicted sentences for {len(gold)}")
    if [*map(len, gold)] == [*map(len, predicted)]:
        return
    for number, (row, guess) in enumerate(zip(gold, predicted, strict=True)):
        if len(row) != len(guess):
            raise ValueError(f"sentence {number}: {len(guess)} predicted tags for {len(row)} words")
