"""docs/tasks.md, from the catalogue: python tests/support/task_table.py > docs/tasks.md"""

from __future__ import annotations

from all_tasks import INTERMEDIATE, TARGET

from evalsuite.scoring import titles
from evalsuite.task import Task
from transfer.find_task import find_task

HEAD = """# Tasks

What each task is read from, and whose data it is. Sources: `hub`, a data set of the Hugging Face
hub at one revision; `xtreme`, files under `--data-dir`; `embedded`, where the suite that ships has
such rows. Made by `tests/support/task_table.py`.

```
lingopress ls tasks          # all of them, in a line each
lingopress ls tasks xnli     # one of them: files, languages, the hub's revision, licence
```
"""

NOTES = """
COPA is `xcopa` in English: its training rows are COPA's, and `languages: ["en"]` scores its dev
rows. SQuAD 2.0 answers nothing where `<s>` scores higher than any span; no threshold is fitted.
Supertags of CCG are those seen ten times in one's own training files, and `unknown`.
"""


def table() -> str:
    """The document."""
    parts = [HEAD]
    for title, names in (("Target tasks", TARGET), ("Intermediate tasks, English", INTERMEDIATE)):
        parts += [f"## {title}\n", "| task | format | metric | files | hub | licence | source |"]
        parts.append("| --- | --- | --- | --- | --- | --- | --- |")
        parts += [_row(find_task(name)) for name in names]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n" + NOTES


def _row(task: Task) -> str:
    hub = ", ".join(f"`{hub.repo}`" for hub in (task.hub, *task.hub_beside) if hub) or "none"
    cells = (
        *(f"`{task.name}`", task.format, titles()[task.metric], f"`{task.layout}`"),
        *(hub, task.licence, f"[{task.citation}]({task.url})"),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    print(table(), end="")
