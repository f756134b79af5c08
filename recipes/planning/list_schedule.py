"""When each stage would begin and end, and where, if stages begin as soon as there is room.

>>> found = list_schedule(
...     needs={"a": [], "b": [], "c": ["a", "b"]},
...     asks={"a": (1,), "b": (1,), "c": (1,)},
...     places=[(2,)],
...     seconds=lambda label, place: {"a": 5.0, "b": 3.0, "c": 2.0}[label],
... )
>>> found["c"], end_of(found)
(Slot(place=0, begins=5.0, ends=7.0), 7.0)

A list schedule (Graham 1966): the first stage of the plan whose needs are made takes a place that
has room. Stages that run at the same time are not slowed down by each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush

Room = tuple[int, ...]  # what a place has or a stage takes: CPUs, GPUs, bytes of memory


@dataclass(frozen=True, slots=True)
class Slot:
    """When a stage runs, in seconds from the begin; `place` is None where no place is large enough.

    A stage without a place takes no time, so that what needs it has a slot too.
    """

    place: int | None
    begins: float
    ends: float


def list_schedule(
    needs: Mapping[str, Sequence[str]],
    asks: Mapping[str, Room],
    places: Sequence[Room],
    seconds: Callable[[str, int], float | None],
) -> dict[str, Slot]:
    """A slot per stage.

    Args:
        needs: stages that come before each stage; those that have no slot are made already.
        asks: what each stage takes while it runs; what is not in it has no slot.
        places: what each place has.
        seconds: of a stage at a place; None where it cannot run there.
    """
    waiting = [label for label in needs if label in asks]
    free = [list(place) for place in places]
    found: dict[str, Slot] = {}
    running: list[tuple[float, int, str]] = []
    done = set(needs) - set(waiting)
    now = 0.0

    def begin() -> str | None:
        """Give the first stage that can begin a slot; its label."""
        for label in waiting:
            if not done.issuperset(needs[label]):
                continue
            possible = _places(asks[label], places, partial(seconds, label))
            if not possible:
                found[label] = Slot(None, now, now)
                return label
            room = [place for place in possible if _fits(asks[label], free[place])]
            if room:
                place = min(room, key=lambda place: (possible[place], place))
                found[label] = Slot(place, now, now + possible[place])
                return label
        return None

    while waiting or running:
        if (label := begin()) is not None:
            waiting.remove(label)
            place = found[label].place
            if place is None:
                done.add(label)
            else:
                free[place] = [has - one for has, one in zip(free[place], asks[label], strict=True)]
                heappush(running, (found[label].ends, len(found), label))
            continue
        now, _, label = heappop(running)
        done.add(label)
        place = found[label].place
        assert place is not None
        free[place] = [has + one for has, one in zip(free[place], asks[label], strict=True)]
    return found


def _places(
    ask: Room, places: Sequence[Room], seconds: Callable[[int], float | None]
) -> dict[int, float]:
    """Seconds at each place that is large enough when nothing else runs there."""
    found = {place: seconds(place) for place, has in enumerate(places) if _fits(ask, has)}
    return {place: one for place, one in found.items() if one is not None}


def _fits(ask: Room, has: Sequence[int]) -> bool:
    return all(one <= there for one, there in zip(ask, has, strict=True))


def end_of(found: Mapping[str, Slot]) -> float:
    """When the last stage ends; 0 where there is none."""
    return max((slot.ends for slot in found.values()), default=0.0)


def most_at_once(found: Mapping[str, Slot], sizes: Mapping[str, float]) -> float:
    """The largest sum of sizes of stages that run at the same time.

    >>> most_at_once({"a": Slot(0, 0, 5), "b": Slot(0, 3, 8)}, {"a": 1.0, "b": 2.0})
    3.0
    """
    sums = [
        sum(
            sizes.get(label, 0.0)
            for label, other in found.items()
            if other is slot or other.begins <= slot.begins < other.ends
        )
        for slot in found.values()
    ]
    return max(sums, default=0.0)
