"""What `lingopress init` prints: what was seen in the files, and what to type next.

>>> print(drafted_text(drafted))
topics: a text and its label (text: text, label: category)
...
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from evalsuite.registry import OWN_FORMATS
from recipes.cli.memory_lines import aligned
from recipes.drafting.new_recipe import Drafted
from recipes.drafting.own_recipe import what

_WIDTH = 100
_LABELS = 12  # labels that are shown with their shares


def drafted_text(drafted: Drafted) -> str:
    """All of it."""
    declaration = drafted.found.declaration
    format = declaration["format"]
    columns = declaration.get("columns") or OWN_FORMATS.get(format).ROLES[0]
    shown = ", ".join(
        f"{part}: {' '.join(map(str, column)) if isinstance(column, list) else column}"
        for part, column in columns.items()
    )
    parts = [f"{drafted.name}: {what(format)} ({format}; {shown})", "", _rows(drafted), ""]
    if drafted.seen.labels:
        rows = drafted.seen.rows.get("train", {})  # of several labels each is a share of all rows
        total = sum((rows if format == "multilabel" else drafted.seen.labels).values())
        parts += [_wrapped(f"labels: {_shares(drafted.seen.labels, total)}"), ""]
    if drafted.seen.scores:
        least, most = drafted.seen.scores
        parts += [f"scores: {least:g} to {most:g}", ""]
    if said := [*drafted.notes, *drafted.seen.warnings]:
        parts += [*(_wrapped(f"note: {line}") for line in said), ""]
    parts += [f"wrote {drafted.path}; read it, then type:", *(f"  {c}" for c in drafted.commands)]
    return "\n".join(parts)


def _rows(drafted: Drafted) -> str:
    rows: list[tuple[str, ...]] = [("split", "languages", "rows")]
    for split, counts in drafted.seen.rows.items():
        few, many = min(counts.values()), max(counts.values())
        each = f"{many:,}" if few == many else f"{few:,} to {many:,}"
        count = each if len(counts) == 1 else f"{each} each, {sum(counts.values()):,} in all"
        lines = textwrap.wrap(" ".join(counts), _WIDTH // 2)
        if len(counts) > 1:
            lines[0] = f"{len(counts)}: {lines[0]}"
        rows += [(split, lines[0], count), *(("", line, "") for line in lines[1:])]
    return aligned(rows)


def _shares(labels: Mapping[str, int], total: int) -> str:
    often = sorted(labels.items(), key=lambda item: -item[1])
    shown = [f"{label} {100 * count / total:.0f}%" for label, count in often[:_LABELS]]
    rest = often[_LABELS:]
    if rest:
        share = 100 * sum(count for _, count in rest) / total
        shown.append(f"and {len(rest)} more {share:.0f}%")
    return ", ".join(shown)


def _wrapped(line: str) -> str:
    return "\n".join(_folded(line))


def _folded(line: str) -> Iterator[str]:
    yield from textwrap.wrap(line, _WIDTH, subsequent_indent="  ", break_long_words=False)
