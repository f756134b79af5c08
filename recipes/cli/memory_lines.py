"""What `plan` prints about memory: each stage by part, and what would fit where a stage does not.

>>> for line in memory_lines(estimate(plan, Place("RAM", 25_200_000_000))):
...     print(line)
stage    memory   weights  gradients  optimizer  activations  other
adapter  9.1 GB    4.1 GB    0.04 GB    0.09 GB       4.2 GB  0.7 GB
memory is estimated at each stage's peak; this machine has 25.2 GB of RAM
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.machine.memory import Memory, Place, gigabytes
from recipes.planning.memory import Estimate


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as plain columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def memory_lines(found: Mapping[str, Estimate], has: str = "") -> list[str]:
    """A table of the stages whose memory is known ahead; nothing where there is none.

    Args:
        has: how much there is; default: what this machine has.
    """
    if not found:
        return []
    names = dict.fromkeys(name for one in found.values() for name in one.need.parts)
    rows: list[tuple[str, ...]] = [("stage", "memory", *names)]
    rows += [(label, gigabytes(one.need.total), *_parts(one.need, names)) for label, one in
             found.items()]  # fmt: skip
    place = next(iter(found.values())).place
    lines = ["", aligned(rows), f"memory is estimated at each stage's peak; {has or _has(place)}"]
    if any(one.need.apart for one in found.values()):
        lines.append("activations are let go while gradients grow: of both only the larger counts")
    for label, one in found.items():
        if not one.fits:
            lines += _remedies(label, one)
    return lines


def _parts(need: Memory, names: Mapping[str, None]) -> list[str]:
    return [gigabytes(need.parts[name]) if need.parts.get(name) else "-" for name in names]


def _has(place: Place) -> str:
    if not place.bytes:
        return "this machine does not say how much it has"
    kind = "RAM" if place.name == "RAM" else f"memory on its {place.name}"
    return f"this machine has {gigabytes(place.bytes)} of {kind}"


def _remedies(label: str, one: Estimate) -> list[str]:
    """A stage that does not fit, and what it would take with other keys."""
    lines = [f"{label}: {gigabytes(one.need.total)} do not fit into {gigabytes(one.place.bytes)}"]
    fitting = [(change, need) for change, need in one.less if one.within(need)]
    if not fitting and one.less:
        lines[0] += "; the least it can take is more too"
        fitting = [min(one.less, key=lambda pair: pair[1].total)]
    shown = [(_written(change), f"{gigabytes(need.total)}") for change, need in fitting]
    return lines + [f"  {text}: {size}" for text, size in shown]


def _written(change: Mapping[str, Any]) -> str:
    """Keys as a recipe has them: `precision: nf4, gradient_checkpointing: true`."""
    return ", ".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}"
        for key, value in change.items()
    )
