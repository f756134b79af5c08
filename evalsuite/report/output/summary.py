"""The report in a few lines of plain text, for a terminal.

>>> print(summary(page.badge, [page.headline], page.main, page.costs))
source: embedded ...
int8: 4.5× smaller and 2.7× faster than teacher, −1.8 points zero-shot on average over 4 tasks.

System   XNLI  UD-POS  Average  Size MB  Throughput sentences/s  p50 ms, batch 1
teacher  54.0    56.7     60.2     2.63                     610             9.97
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.table import Column, Table

_COSTS = ("Size", "Throughput", "p50")


def summary(
    badge: str, sentences: Sequence[str], main: Table, costs: Sequence[tuple[str, Table]]
) -> str:
    """The source, some sentences, and one row per system: zero-shot means, size and speed.

    If several machines measured speeds, a table of costs per machine follows. So does one if
    they were measured in several settings, such as `teacher, 1 thread`.
    """
    lines = [f"source: {badge}", *sentences, ""]
    if len(costs) == 1 and _has_all(costs[0][1], main):
        return "\n".join([*lines, *_together(main, costs[0][1]), ""])
    lines += _together(main, Table(main.corner, (), ()))
    for machine, cost in costs:
        where = [f"on {machine}:"] if len(costs) > 1 else []
        lines += ["", *where, *_together(Table(cost.corner, (), ()), cost)]
    return "\n".join([*lines, ""])


def _has_all(cost: Table, main: Table) -> bool:
    """Whether each system with scores has a row of costs by its name alone, without a setting."""
    systems = {row.head.text for row in main.rows if row.kind != "aside"}
    return systems <= {row.head.text for row in cost.rows}


def _together(main: Table, cost: Table) -> list[str]:
    heads = [main.corner, *(column.text for column in main.columns)]
    wanted = [(i, column) for i, column in enumerate(cost.columns) if column.text in _COSTS]
    heads += [_head(column) for _, column in wanted]
    costs = {row.head.text: [row.cells[i].text for i, _ in wanted] for row in cost.rows}
    lines = []
    for row in main.rows:
        measured = costs.pop(row.head.text, [""] * len(wanted))
        lines.append([row.head.text, *(cell.text for cell in row.cells), *measured])
    for name, measured in costs.items():  # systems that were measured but not scored
        lines.append([name, *[""] * len(main.columns), *measured])
    return _aligned([heads, *lines])


def _head(column: Column) -> str:
    return f"{column.text} {column.sub}".replace("\u00a0", " ").strip()


def _aligned(lines: list[list[str]]) -> list[str]:
    """Columns of equal width, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = []
    for first, *rest in lines:
        right = (text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))
        texts.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return texts
