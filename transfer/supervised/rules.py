"""Which tasks and options of a training go together.

Both `lingopress check` and the training itself call these functions. They import nothing heavy, and
read nothing but the options. Each gives a list of problems, empty where all is well.

>>> mixing_problems("capped", cap=None, temperature=1.0)
['mixing: capped needs cap, the examples a task counts as at most']
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.task import Task
from transfer.text.sentence_pairs import Belonging, pair_problems


def mixing_problems(mixing: str, cap: int | None, temperature: float) -> list[str]:
    """What is wrong with the way batches are divided among tasks."""
    problems = []
    if mixing == "capped" and cap is None:
        problems.append("mixing: capped needs cap, the examples a task counts as at most")
    if mixing == "uniform" and cap is not None:
        problems.append("cap: means nothing where mixing is uniform")
    if mixing != "temperature" and temperature != 1:
        problems.append("mixing_temperature: needs mixing: temperature")
    return problems


def masked_problems(
    share: float,
    tlm: float,
    languages: Sequence[str] | None,
    *,
    tasks: bool,
    max_steps: int | None,
) -> list[str]:
    """What is wrong with the masked text of a training.

    Args:
        share: of batches.
        tlm: share of the masked rows that are translation pairs.
        tasks: whether there is a task too.
    """
    problems = []
    if not tasks and (share < 1 or max_steps is None):
        problems.append(
            "tasks: none; set mlm: 1.0 and max_steps for masked LM alone, or contrastive: "
            "words or sentences for parallel text"
        )
    if tasks and share >= 1:
        problems.append("mlm: 1.0 gives no batch to the tasks; lower it, or set tasks: []")
    if tlm and not share:
        problems.append("tlm: is a share of the rows of mlm, and mlm is 0")
    if tlm and languages is not None and tuple(languages) == ("en",):
        problems.append(
            "tlm: translation pairs need a language other than English in mlm_languages"
        )
    return problems


def task_problems(
    tasks: Sequence[Task], *, evaluated: bool, parts: bool, belonging: Belonging | None = None
) -> list[str]:
    """What is wrong with the tasks of a training.

    Args:
        belonging: which rows with a score or a label are pairs; None where these train a head.
        evaluated: whether dev rows are scored during training.
        parts: whether the rows of a step are processed in parts.
    """
    problems = []
    for task in tasks:
        if problem := untrainable(task):
            problems.append(problem)
        if not (task.by_embedding or belonging):
            continue
        if evaluated:
            problems.append(unscored(task))
        if belonging is None and not all(other.by_embedding for other in tasks):
            problems.append(
                f"tasks: {task.name} has no head, and others have one; train them in two stages"
            )
        if parts:
            problems.append(
                f"tasks: rows of a batch of {task.name} are each other's negatives, so it cannot "
                "be read in parts; leave effective_batch and batch_tokens out"
            )
    if belonging is not None:
        problems += pair_problems(tasks, belonging)
    return problems


def trains_vectors(tasks: Sequence[Task], belonging: Belonging | None) -> bool:
    """Whether sentence vectors are trained, and no head; arguments as of `task_problems`."""
    return belonging is not None or any(task.by_embedding for task in tasks)


def untrainable(task: Task) -> str:
    """Why a task cannot be trained on; empty where it can."""
    return "" if task.learnable else f"{task.name} cannot be trained on; it is evaluated only"


def unscored(task: Task) -> str:
    """Why dev rows cannot be scored while vectors are trained on a task."""
    return (
        f"evaluate_every: vectors are trained on {task.name}, and dev rows are not scored by "
        "vectors during training; leave evaluate_every out, and score them with an evaluate stage"
    )
