"""Why rows cannot be scored: their labels are hidden, as in test files to predict on.

>>> unlabelled(task, DataSource("files"), "test", ("de",))
"topics: its test rows in de have no labels, so they cannot be scored; give a file with labels, ..."
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.task import DataSource, Split, Task


def unlabelled(task: Task, source: DataSource, split: Split, languages: Sequence[str] = ()) -> str:
    """What is wrong with rows that have no labels; empty where they can be scored.

    Args:
        languages: that are asked for; default: those with labels, of which there must be one.
    """
    readable, labelled = task.readable(source, split), task.available(source, split)
    hidden = [code for code in languages or readable if code in readable and code not in labelled]
    if not hidden or (labelled and not languages):
        return ""
    others = f", or score other languages: {', '.join(labelled)}" if labelled else ""
    return (
        f"{task.name}: its {split} rows in {', '.join(hidden)} have no labels, so they cannot be "
        f"scored; give a file with labels{others}"
    )
