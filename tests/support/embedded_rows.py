"""The rows of the embedded suite, each made once, and the words that they may use."""

from __future__ import annotations

from functools import cache

from evalsuite.data.embedded import generate as embedded
from evalsuite.data.embedded.phrases import Lexicon

LANGUAGES = embedded.LANGUAGES
FOREIGN = LANGUAGES[1:]
STOPS = ".,。।"

nli = cache(embedded.nli)
pos = cache(embedded.pos)
ner = cache(embedded.ner)
parallel = cache(embedded.parallel)


def forms(lexicon: Lexicon) -> set[str]:
    """Every word form of a lexicon, as it stands inside a sentence."""
    phrases = [*lexicon.persons.values(), *lexicon.places.values(), *lexicon.times.values()]
    for entry in lexicon.actions.values():
        phrases += [part for verb in entry.values() for part in (verb.head, verb.rest)]
    return {token.form for phrase in phrases for token in phrase}
