"""Causes and effects: what one person does, and what somebody does before or after because of it.

    Clara kocht montags in Rom Fisch.   What was the effect?
        Ahmed isst Fisch.               <- it follows
        Ahmed liest Gedichte.           <- it follows from something else

`CHAINS` says what follows from what. Of an action in the middle of a chain both what it follows
from and what follows from it can be the choices, and then the question decides.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from evalsuite.data.embedded.scenes import Sampler, Scene

Asked = Literal["cause", "effect"]

CHAINS: tuple[tuple[str, ...], ...] = (
    ("write_long_letters", "read_long_letters"),
    ("write_poems", "read_poems"),
    ("buy_newspaper", "read_newspaper"),
    ("cook_fish", "eat_fish"),
    ("cook_rice", "eat_rice"),
    ("buy_bread", "eat_bread_with_cheese"),
    ("write_books", "buy_new_books"),
    ("sell_old_books", "read_old_books"),
    ("sell_vegetables", "cook_vegetables", "cook_soup"),
    ("sell_flowers", "buy_flowers", "draw_flowers"),
)
_LINKS = tuple((a, b) for chain in CHAINS for a, b in pairwise(chain))


class Cause(NamedTuple):
    """A premise and two choices, with the word order of each, what is asked, and which is right."""

    premise: tuple[Scene, int]
    asked: Asked
    choices: tuple[tuple[Scene, int], tuple[Scene, int]]
    label: int


def draw_cause(draw: Sampler) -> Cause:
    """A link of a chain, and another action of the second person as the wrong choice."""
    while True:
        before, after = draw.rng.choice(_LINKS)
        asked: Asked = draw.rng.choice(("cause", "effect"))
        said, right = (before, after) if asked == "effect" else (after, before)
        first, second = _who(draw, said), _who(draw, right)
        wrong = _wrong(draw, said, right, second) if first and second and first != second else None
        if first and second and wrong:
            break
    place, time = draw.rng.choice(draw.places), draw.rng.choice(draw.times)
    premise = Scene(first, said, place=place, time=time)
    if draw.chance(0.5):
        premise = draw.drop(premise)
    choices = [Scene(second, right), Scene(second, wrong)]
    label = draw.rng.randrange(2)
    if label == 1:
        choices.reverse()
    one, other = ((scene, draw.rng.randrange(2)) for scene in choices)
    return Cause((premise, draw.rng.randrange(2)), asked, (one, other), label)


def _who(draw: Sampler, action: str) -> str | None:
    verb = action.split("_", 1)[0]
    persons = [person for person, verbs in draw.verbs.items() if verb in verbs]
    return draw.rng.choice(persons) if persons else None


def _wrong(draw: Sampler, said: str, right: str, person: str) -> str | None:
    """The other neighbour of what is said, in half of the draws that have one; else an action of a
    link that what is said is no part of."""
    other = [a if b == said else b for a, b in _LINKS if said in (a, b)]
    other = [action for action in other if action != right]
    if not other or draw.chance(0.5):
        near = {said, right, *other}
        other = [action for link in _LINKS if not near & set(link) for action in link]
    known = [a for a in dict.fromkeys(other) if a.split("_", 1)[0] in draw.verbs[person]]
    return draw.rng.choice(known) if known else None
