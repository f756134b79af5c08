"""Texts that are embedded next to the rows of a task: what is searched for them.

>>> parts = searched_text(TASKS.get("lareqa"), source, "test", ["de"])
>>> [(name, longest) for name, texts, longest in parts]
[('candidates', 256)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.data.mining import MiningTask
from evalsuite.data.ranking import Searched
from evalsuite.task import DataSource, MiningExample, Split, Task


def searched_text(
    task: Task,
    source: DataSource,
    split: Split,
    languages: Sequence[str],
    most: int | None = None,
) -> Iterator[tuple[str, Iterator[str], int | None]]:
    """What an evaluation of the task embeds but its rows: parts by name, and where texts are cut.

    A pool of candidates is read whole, however few queries are asked for. Pairs are mined with a
    threshold that is fitted on other rows, `most` of each language, of which both sides are
    embedded too. Texts without a limit of the task are cut where the model ends.
    """
    if isinstance(task, Searched):
        texts = (candidate.text for candidate in task.candidates(source, split))
        yield "candidates", texts, task.candidate_tokens
    if isinstance(task, MiningTask):
        for code in languages:
            for used in dict.fromkeys((split, task.fitted_on)):
                english = task.candidates(source, used, code)
                yield f"{code}, English, {used}", (candidate.text for candidate in english), None
            if split != task.fitted_on:
                rows = task.some_of(task.load(source, task.fitted_on, code), most)
                foreign = (row.foreign for row in rows if isinstance(row, MiningExample))
                yield f"{code}, {task.fitted_on}", foreign, None
