"""Put a scene into the words of a language, and words into a line of text.

>>> from evalsuite.data.embedded.phrases import load
>>> text(tokens(load("de"), Scene("maria", "drink_green_tea", time="monday"), order=1), " ")
'Montags trinkt Maria grünen Tee.'
"""

from __future__ import annotations

from evalsuite.data.embedded.phrases import Lexicon, Phrase, Token
from evalsuite.data.embedded.scenes import Scene

COMMA = Token(",", "PUNCT")
BLANK = Token("___", "X")


def tokens(lexicon: Lexicon, scene: Scene, order: int, blank: str = "") -> Phrase:
    """The sentence's tokens, the first capitalised; with a `blank` in place of a slot.

    `order` picks among the language's word orders that fit: one that begins with a slot the scene
    lacks is left out.
    """
    gender = lexicon.genders[scene.person]
    verb = lexicon.verb_phrase(scene.action, negated=scene.negated, gender=gender)
    slots = {
        "person": lexicon.persons[scene.person],
        "verb": verb.head,
        "rest": verb.rest,
        "place": lexicon.places[scene.place] if scene.place else (),
        "time": lexicon.times[scene.time] if scene.time else (),
        ",": (COMMA,),
    }
    if blank:
        slots[blank] = (BLANK,)
    orders = [names for names in lexicon.orders if slots[names[0]]]
    names = orders[order % len(orders)]
    first, *others = [token for name in names for token in slots[name]]
    form = first.form[0].upper() + first.form[1:]
    return (Token(form, first.upos, first.entity), *others, *lexicon.stop)


def text(sentence: Phrase, separator: str) -> str:
    """The sentence as one writes it: no space before a stop, nor after an elided article."""
    line = ""
    for token in sentence:
        if line and token.upos != "PUNCT" and not line.endswith("'"):
            line += separator
        line += token.form
    return line
