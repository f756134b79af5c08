"""Texts that are embedded next to the rows of a task: what is searched for them.

>>> [name for name, texts in searched_text(TASKS.get("lareqa"), source, "test", ["de"])]
['candidates']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.data.mining import MiningTask
from evalsuite.data.ranking import Searched
from evalsuite.task import DataSource, MiningExample, Split, Task


def searched_text(
    task: Task, source: DataSource, split: Split, languages: Sequence[str]
) -> Iterator[tuple[str, Iterator[str]]]:
    """What an evaluation of the task embeds but its rows, by a name for each part.

    A pool of candidates is read whole, however few queries are asked for. Pairs are mined with a
    threshold that is fitted on other rows, of which both sides are embedded too.
    """
    if isinstance(task, Searched):
        yield "candidates", (candidate.text for candidate in task.candidates(source, split))
    if isinstance(task, MiningTask):
        for code in languages:
            for used in dict.fromkeys((split, task.fitted_on)):
                english = task.candidates(source, used, code)
                yield f"{code}, English, {used}", (candidate.text for candidate in english)
            if split != task.fitted_on:
                rows = task.load(source, task.fitted_on, code)
                foreign = (row.foreign for row in rows if isinstance(row, MiningExample))
                yield f"{code}, {task.fitted_on}", foreign
