"""Pairs of scenes that stand in a known relation: entailment, neutral or contradiction.

Each rule draws a premise and a hypothesis whose relation follows from what they say:

| label         | premise -> hypothesis                                                            |
| ------------- | -------------------------------------------------------------------------------- |
| entailment    | `drop` a place or time · `repeat` all · `generalise` "reads the newspaper" to    |
|               | "reads something"                                                                |
|               | · `deny_more` "does not read" -> "does not read in Berlin" · `deny_specific`     |
|               | "does not read anything" -> "does not read the newspaper"                        |
| contradiction | `deny` the premise, whole or shortened · `deny_general` "does not read anything" |
|               | · `move` to another city at the same time · `affirm` what the premise denies     |
| neutral       | `add` a place or time · `exchange` one for the other · `switch` to another       |
|               | action, affirmed or denied ·                                                     |
|               | `specify` "reads something" -> "reads the newspaper" · `swap` the person ·       |
|               | `deny_less` "does not read in Berlin" -> "does not read" · `deny_all`            |
|               | "does not read the newspaper" -> "does not read anything"                        |

Times are habitual ("on Mondays"), so that `move` contradicts and a denial has one reading. Weights
favour `drop`, `repeat`, `add`, `exchange` and `deny`, so that a very small model learns something
within a minute; as in SNLI (Gururangan et al. 2018: 67% from the hypothesis alone) a negated
hypothesis is a cue, while entailment and neutral cannot be distinguished without the premise. The
rest is there to be hard.
"""

from __future__ import annotations

from collections.abc import Callable

from evalsuite.data.embedded.scenes import Sampler, Scene

Pair = tuple[Scene, Scene]
Rule = Callable[[Sampler], Pair]


def drop(draw: Sampler) -> Pair:
    scene = draw.full()
    return scene, draw.drop(scene)


def repeat(draw: Sampler) -> Pair:
    scene = draw.full()
    return scene, scene


def exchange(draw: Sampler) -> Pair:
    """What is said of the place says nothing of the time, nor the other way round."""
    scene = draw.full()
    pair = scene.but(time=None), scene.but(place=None)
    return pair if draw.chance(0.5) else (pair[1], pair[0])


def generalise(draw: Sampler) -> Pair:
    scene = draw.full()
    general = scene.but(action=scene.verb)
    return scene, draw.drop(general) if draw.chance(0.4) else general


def deny_more(draw: Sampler) -> Pair:
    scene = draw.full().but(negated=True)
    return draw.drop(scene), scene


def deny_specific(draw: Sampler) -> Pair:
    scene = shortened(draw, draw.full().but(negated=True))
    return scene.but(action=scene.verb), scene


def deny(draw: Sampler) -> Pair:
    scene = draw.full()
    return scene, shortened(draw, scene).but(negated=True)


def deny_general(draw: Sampler) -> Pair:
    scene = draw.full()
    return scene, shortened(draw, scene).but(negated=True, action=scene.verb)


def move(draw: Sampler) -> Pair:
    scene = draw.full()
    return scene, scene.but(place=draw.other_place(scene))


def affirm(draw: Sampler) -> Pair:
    scene = shortened(draw, draw.full())
    return scene.but(negated=True), scene


def affirm_general(draw: Sampler) -> Pair:
    scene = shortened(draw, draw.full())
    nothing = scene.but(negated=True, action=scene.verb)
    return nothing, scene if draw.chance(0.5) else scene.but(action=scene.verb)


def add(draw: Sampler) -> Pair:
    scene = draw.full()
    return draw.drop(scene), scene


def switch(draw: Sampler) -> Pair:
    scene = draw.full()
    verb = draw.other_verb(scene) if draw.chance(0.3) else None
    return scene, shortened(draw, scene).but(action=verb or draw.other_action(scene))


def switch_deny(draw: Sampler) -> Pair:
    premise, hypothesis = switch(draw)
    return premise, hypothesis.but(negated=True)


def specify(draw: Sampler) -> Pair:
    scene = shortened(draw, draw.full())
    return scene.but(action=scene.verb), scene


def swap(draw: Sampler) -> Pair:
    scene = draw.full()
    person = draw.other_person(scene)
    return (scene, shortened(draw, scene).but(person=person)) if person else switch(draw)


def deny_less(draw: Sampler) -> Pair:
    scene = draw.full().but(negated=True)
    return scene, draw.drop(scene)


def deny_all(draw: Sampler) -> Pair:
    scene = shortened(draw, draw.full().but(negated=True))
    return scene, scene.but(action=scene.verb)


def shortened(draw: Sampler, scene: Scene) -> Scene:
    """The scene, without its place or its time in half of the draws."""
    return draw.drop(scene) if draw.chance(0.5) else scene


RULES: dict[str, dict[Rule, int]] = {
    "entailment": {drop: 54, repeat: 22, generalise: 12, deny_more: 8, deny_specific: 4},
    "neutral": {
        add: 50,
        exchange: 26,
        switch: 6,
        swap: 4,
        specify: 4,
        switch_deny: 4,
        deny_less: 4,
        deny_all: 2,
    },
    "contradiction": {deny: 70, deny_general: 12, move: 6, affirm: 8, affirm_general: 4},
}
"""Per label, its rules and how often each is used, in percent."""


def altered(draw: Sampler, scene: Scene) -> Scene:
    """A scene that differs in one part: place, time, action, or (where there is one) person."""
    changes = [
        {"place": draw.other_place(scene)},
        {"time": draw.other_time(scene)},
        {"action": draw.other_action(scene)},
    ]
    if person := draw.other_person(scene):
        changes.append({"person": person})
    return scene.but(**draw.rng.choice(changes))


def pair(draw: Sampler, label: str) -> Pair:
    """A premise and a hypothesis with this relation."""
    rules = RULES[label]
    (rule,) = draw.rng.choices(list(rules), weights=list(rules.values()))
    return rule(draw)
