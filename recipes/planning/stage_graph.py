"""Order of stages: what a stage needs comes before it, otherwise as the recipe has it.

>>> order({"b": ["a"], "a": [], "c": ["b"]})
['a', 'b', 'c']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class CycleError(Exception):
    """Stages need each other; `cycle` ends with the stage it began with."""

    def __init__(self, cycle: list[str]) -> None:
        self.cycle = cycle
        super().__init__("stages need each other: " + " -> ".join(cycle))


def order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Topological order, stable in the mapping's own order.

    Raises:
        CycleError: there is none.
    """
    done: list[str] = []
    waiting = {name: set(needed) for name, needed in needs.items()}
    while waiting:
        ready = next((n for n, needed in waiting.items() if needed <= set(done)), None)
        if ready is None:
            raise CycleError(_cycle(waiting))
        done.append(ready)
        del waiting[ready]
    return done


def independent_of(needs: Mapping[str, Iterable[str]], name: str) -> set[str]:
    """What neither needs `name` nor is needed by it, so could be made at the same time."""
    return set(needs) - ancestors(needs, [name]) - descendants(needs, [name])


def _cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Follow needs among stages that all wait until one comes again."""
    path = [next(iter(waiting))]
    while True:
        following = next(name for name in sorted(waiting[path[-1]]) if name in waiting)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def descendants(needs: Mapping[str, Iterable[str]], roots: Iterable[str]) -> set[str]:
    """The roots and everything that needs them, directly or not; `needs` is in order."""
    found = set(roots)
    for name, needed in needs.items():
        if found.intersection(needed):
            found.add(name)
    return found


def ancestors(needs: Mapping[str, Iterable[str]], roots: Iterable[str]) -> set[str]:
    """The roots and everything they need, directly or not; `needs` is in order."""
    found = set(roots)
    for name in reversed(list(needs)):
        if name in found:
            found.update(needs[name])
    return found
