"""What can happen, in no language: scenes of concepts, and the split each belongs to.

>>> Scene("maria", "read_newspaper", negated=False, place="berlin", time="morning").verb
'read'

A scene belongs to the split of its person and verb, so every sentence about Maria reading, in any
place, at any time, affirmed or denied, about a newspaper or "something", is in one split only, in
every language.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from evalsuite.data.embedded.phrases import load

Split = Literal["train", "dev", "test", "intermediate"]

SHARES: dict[Split, int] = {"train": 40, "intermediate": 25, "dev": 15, "test": 20}
"""Percent of the combinations of a person and a verb that each split gets."""

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Scene:
    """Who does what, where and when; or does not. Values are keys of the lexicons.

    Attributes:
        action: a specific action (`read_newspaper`) or a bare verb (`read`: reads something).
        place, time: None where the sentence does not say.
    """

    person: str
    action: str
    negated: bool = False
    place: str | None = None
    time: str | None = None

    @property
    def verb(self) -> str:
        return self.action.split("_", 1)[0]

    def but(self, **changes: Any) -> Scene:
        """The same scene, changed."""
        return replace(self, **changes)


def split_of(person: str, verb: str) -> Split:
    """The one split that a person and a verb may meet in."""
    digest = hashlib.sha256(f"{person} {verb}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") % 100
    for split, share in SHARES.items():
        if point < share:
            return split
        point -= share
    raise AssertionError("SHARES must sum to 100")


class Sampler:
    """Draws scenes of one split; the same seed draws the same scenes in every language."""

    def __init__(self, split: Split, seed: str) -> None:
        self.rng = random.Random(seed)
        english = load("en")
        self.places = sorted(english.places)
        self.times = sorted(english.times)
        self.actions: dict[str, list[str]] = {}
        for key in sorted(english.actions):
            verb, _, thing = key.partition("_")
            self.actions.setdefault(verb, [])
            if thing:
                self.actions[verb].append(key)
        self.verbs: dict[str, list[str]] = {}
        for person in sorted(english.persons):
            verbs = [verb for verb in sorted(self.actions) if split_of(person, verb) == split]
            if verbs:
                self.verbs[person] = verbs

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def full(self) -> Scene:
        """A specific, affirmed scene with a place and a time."""
        person = self.rng.choice(list(self.verbs))
        return Scene(
            person,
            self.rng.choice(self.actions[self.rng.choice(self.verbs[person])]),
            place=self.rng.choice(self.places),
            time=self.rng.choice(self.times),
        )

    def drop(self, scene: Scene) -> Scene:
        """The scene without its place or without its time."""
        return scene.but(place=None) if self.chance(0.5) else scene.but(time=None)

    def any(self) -> Scene:
        """A scene of any kind: one in four denied, one in five general, one in three shortened."""
        scene = self.full()
        if self.chance(0.2):
            scene = scene.but(action=scene.verb)
        if self.chance(0.25):
            scene = scene.but(negated=True)
        return self.drop(scene) if self.chance(1 / 3) else scene

    def other_place(self, scene: Scene) -> str:
        return self.rng.choice([place for place in self.places if place != scene.place])

    def other_time(self, scene: Scene) -> str:
        return self.rng.choice([time for time in self.times if time != scene.time])

    def other_action(self, scene: Scene) -> str:
        """Another specific action that this person may meet in this split."""
        actions = [a for verb in self.verbs[scene.person] for a in self.actions[verb]]
        return self.rng.choice([action for action in actions if action != scene.action])

    def other_verb(self, scene: Scene) -> str | None:
        """Another verb that this person may meet in this split, if there is one."""
        verbs = [verb for verb in self.verbs[scene.person] if verb != scene.verb]
        return self.rng.choice(verbs) if verbs else None

    def other_person(self, scene: Scene) -> str | None:
        """Another person who may meet this verb in this split, if there is one."""
        persons = [p for p, vs in self.verbs.items() if scene.verb in vs and p != scene.person]
        return self.rng.choice(persons) if persons else None


def distinct(draw: Callable[[], T], count: int) -> list[T]:
    """`count` different draws, in the order of their first appearance."""
    seen: dict[T, None] = {}
    for _ in range(100 * count):
        if len(seen) == count:
            return list(seen)
        seen.setdefault(draw())
    raise AssertionError(f"only {len(seen)} different items of {count} in this split")
