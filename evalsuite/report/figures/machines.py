"""Which machine a speed was measured on; speeds of two machines are never in one column.

>>> names([Machine("Intel(R) Xeon(R) 8481C CPU @ 2.70GHz", ("avx2",), 4)])
{Machine(cpu='Intel(R) Xeon(R) 8481C CPU @ 2.70GHz', ...): 'Intel Xeon 8481C'}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from evalsuite.report.figures.systems import System
from evalsuite.results.record import Environment


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor as far as speed goes: its name, what it can compute with, how many cores."""

    cpu: str
    instruction_set: tuple[str, ...]
    cores: int


def machine(environment: Environment) -> Machine:
    """Where something was measured."""
    return Machine(environment.cpu, environment.instruction_set, environment.cores)


def names(machines: Sequence[Machine]) -> dict[Machine, str]:
    """A name for each: the processor, and what else is needed to distinguish them."""
    named = dict.fromkeys(machines, "")
    for machine in named:
        parts = [_short(machine.cpu)]
        alike = [other for other in named if _short(other.cpu) == parts[0]]
        if len({other.cores for other in alike}) > 1:
            parts.append(f"{machine.cores} core{'' if machine.cores == 1 else 's'}")
        if len({other.instruction_set for other in alike}) > 1:
            parts.append(" ".join(machine.instruction_set) or "no vector instructions known")
        named[machine] = ", ".join(parts)
    return named


def _short(cpu: str) -> str:
    """A processor's name without marks and clock."""
    text = re.sub(r"\((R|TM|r|tm)\)|(\bCPU\s*)?@.*", " ", cpu)
    return " ".join(text.split()) or "unknown processor"


def machines(systems: Sequence[System]) -> tuple[Machine, ...]:
    """Those that speeds were measured on, in the order in which they first come."""
    speeds = (speed for system in systems for speed in system.speeds)
    return tuple(dict.fromkeys(machine(speed.environment) for speed in speeds))


def by_machine(systems: Sequence[System]) -> tuple[tuple[str, tuple[System, ...]], ...]:
    """The systems measured on each machine, with the speeds of that machine alone.

    What was measured nowhere stands with the first. A run of one machine has one entry, unnamed.
    """
    several = machines(systems)
    if len(several) < 2:
        return (("", tuple(systems)),)
    named, groups = names(several), []
    for i, wanted in enumerate(several):
        here = []
        for system in systems:
            speeds = tuple(s for s in system.speeds if machine(s.environment) == wanted)
            if speeds or (i == 0 and not system.speeds):
                here.append(replace(system, speeds=speeds))
        groups.append((named[wanted], tuple(here)))
    return tuple(groups)
