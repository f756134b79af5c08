"""Mentions of persons and places, and what is said about each: entity linking.

    Maria trinkt montags in Berlin Tee.             Berlin is meant
    <- Lundi Clara boit du thé à Berlin. ...      three sentences about it, in some language

The entity's name is all that a mention and a description surely share, in two languages and often
in two scripts.
"""

from __future__ import annotations

import random

from evalsuite.data.embedded.phrases import LANGUAGES, Lexicon, Phrase, load
from evalsuite.data.embedded.realise import text, tokens
from evalsuite.data.embedded.scenes import Sampler, Scene, Split

_TOLD = 3  # sentences of a description


def mention(lexicon: Lexicon, scene: Scene, order: int, place: bool) -> tuple[str, int, int]:
    """A sentence, and the first and last + 1 character of the person or the place in it."""
    sentence = tokens(lexicon, scene, order)
    line = text(sentence, lexicon.separator)
    name = _name(sentence, "LOC" if place else "PER", lexicon.separator)
    start = line.index(name)
    return line, start, start + len(name)


def entities(split: Split) -> list[tuple[str, str]]:
    """Ids (keys of the lexicons) and descriptions, in English where they are trained on."""
    english = load("en")
    draw = Sampler(split, f"entities {split}")
    found = []
    for key in (*sorted(draw.verbs), *sorted(english.places)):
        rng = random.Random(f"{split} {key}")
        language = "en" if split == "train" else rng.choice(LANGUAGES)
        lines = []
        for _ in range(_TOLD):
            scene = draw.full()
            while key in draw.verbs and scene.person != key:
                scene = draw.full()
            shown = scene if key in draw.verbs else scene.but(place=key)
            lexicon = load(language)
            lines.append(text(tokens(lexicon, shown, draw.rng.randrange(2)), lexicon.separator))
        found.append((key, " ".join(lines)))
    return found


def _name(sentence: Phrase, kind: str, separator: str) -> str:
    """The forms of the first entity of a kind, as they stand in the line."""
    forms: list[str] = []
    for token in sentence:
        if token.entity == (f"I-{kind}" if forms else f"B-{kind}"):
            forms.append(token.form)
        elif forms:
            break
    return separator.join(forms)
