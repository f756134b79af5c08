"""Order of stages: what a stage needs comes before it, otherwise as the recipe has it.

>>> order({"b": ["a"], "a": [], "c": ["b"]})
['a', 'b', 'c']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush


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
    waiting = {name: set(needed) for name, needed in needs.items()}
    places = {name: place for place, name in enumerate(waiting)}
    needed_by: dict[str, list[str]] = {name: [] for name in waiting}
    for name, needed in waiting.items():
        for each in needed:
            needed_by[each].append(name)
    names = list(waiting)
    ready = [places[name] for name, needed in waiting.items() if not needed]  # a heap as it is
    done: list[str] = []
    while ready:
        name = names[heappop(ready)]
        done.append(name)
        del waiting[name]
        for other in needed_by[name]:
            waiting[other].discard(name)
            if not waiting[other]:
                heappush(ready, places[other])
    if waiting:
        raise CycleError(_cycle(waiting))
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
