"""Questions about a few sentences, as clozes: a sentence of the context, a part of it left blank.

    Maria liest montags in Berlin die Zeitung. Ahmed trinkt in Rom Tee. ...
    Montags liest Maria ___ die Zeitung.            -> in Berlin

The blank is the person, the place or the time; the sentence may be in another word order than in
the context. Persons, actions, places and times are all different within a context, so that there
is one answer.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from evalsuite.data.embedded.phrases import Lexicon
from evalsuite.data.embedded.realise import BLANK, text, tokens
from evalsuite.data.embedded.scenes import Sampler, Scene
from evalsuite.task import Answer

SENTENCES = 5  # of a context
Slot = Literal["person", "place", "time"]
_SLOTS: tuple[Slot, ...] = ("person", "place", "time")


class Question(NamedTuple):
    """Scenes with the word order of each, which of them is asked about, how, and for what."""

    scenes: tuple[tuple[Scene, int], ...]
    about: int
    order: int
    slot: Slot


def draw_question(draw: Sampler) -> Question:
    """Scenes that share nothing, and a question on one of them."""
    scenes: list[Scene] = []
    while len(scenes) < SENTENCES:
        scene = draw.full()
        if all(_differ(scene, other) for other in scenes):
            scenes.append(scene)
    ordered = tuple((scene, draw.rng.randrange(2)) for scene in scenes)
    about, order = draw.rng.randrange(SENTENCES), draw.rng.randrange(2)
    return Question(ordered, about, order, draw.rng.choice(_SLOTS))


def _differ(one: Scene, other: Scene) -> bool:
    return (
        one.person != other.person
        and one.verb != other.verb
        and one.place != other.place
        and one.time != other.time
    )


def write(lexicon: Lexicon, question: Question) -> tuple[str, str, Answer]:
    """The question, the context and the answer, in a language."""
    lines = sentences(lexicon, question)
    context = lexicon.separator.join(lines)
    scene, order = question.scenes[question.about]
    before = sum(len(line) + len(lexicon.separator) for line in lines[: question.about])
    blanked = _said(lexicon, scene, order, question.slot)
    start = before + blanked.index(BLANK.form)
    length = len(lines[question.about]) - len(blanked) + len(BLANK.form)
    answer = Answer(context[start : start + length], start)
    return ask(lexicon, question), context, answer


def ask(lexicon: Lexicon, question: Question) -> str:
    """The question alone."""
    scene, _ = question.scenes[question.about]
    return _said(lexicon, scene, question.order, question.slot)


def sentences(lexicon: Lexicon, question: Question) -> list[str]:
    """The sentences of the context."""
    return [_said(lexicon, *ordered) for ordered in question.scenes]


def _said(lexicon: Lexicon, scene: Scene, order: int, blank: str = "") -> str:
    return text(tokens(lexicon, scene, order, blank), lexicon.separator)
