"""Read a lexicon: whole inflected phrases of one language, each word with its tags.

>>> load("de").places["new_york"]
(Token(form='in', upos='ADP', entity='O'), Token(form='New', upos='PROPN', entity='B-LOC'), ...)

A file `lexicon/<language>.json` writes a phrase as `word/UPOS` or `word/UPOS/ENTITY`, separated by
spaces: `"in/ADP New/PROPN/LOC York/PROPN/LOC"`. It holds

- `orders`: the order of the slots `person verb rest place time`, and of commas; the first is usable
  for every scene, the others begin with a slot that a scene may lack;
- `persons` (with grammatical gender), `places`, `times`;
- `actions` and `general`: a verb phrase `head | rest` a polarity, `yes` and `no`, or where the verb
  agrees with its subject in gender `yes_m yes_f no_m no_f`. The action `read_newspaper` belongs to
  the verb `read`, whose entry in `general` it entails ("reads something") or, where negated, is
  entailed by ("does not read anything").

All keys are the same in every language. Agreement, case and negation lie in the phrases, never in
code. Tags follow each language's UD treebanks, with these simplifications: every word of a name is
PROPN; Vietnamese is written in syllables, each with the tag of its word; a Turkish or Russian name
carries its case ending inside the tagged word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LEXICON_DIR = Path(__file__).parent / "lexicon"
LANGUAGES = ("en", *sorted(p.stem for p in LEXICON_DIR.glob("*.json") if p.stem != "en"))


@dataclass(frozen=True, slots=True)
class Token:
    """A word, its universal part of speech, and its IOB2 tag (PER, LOC, ORG)."""

    form: str
    upos: str
    entity: str = "O"


Phrase = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class VerbPhrase:
    """A verb phrase in two parts, because some languages put time and place between them."""

    head: Phrase
    rest: Phrase


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything the generator knows of one language."""

    language: str
    script: tuple[str, ...]
    separator: str
    orders: tuple[tuple[str, ...], ...]
    stop: Phrase
    persons: Mapping[str, Phrase]
    genders: Mapping[str, str]
    places: Mapping[str, Phrase]
    times: Mapping[str, Phrase]
    actions: Mapping[str, Mapping[str, VerbPhrase]]

    def verb_phrase(self, action: str, *, negated: bool, gender: str) -> VerbPhrase:
        """The form of `action` (an action's or a bare verb's key) that agrees with its subject."""
        forms = self.actions[action]
        polarity = "no" if negated else "yes"
        return forms.get(polarity) or forms[f"{polarity}_{gender}"]


def parse(text: str) -> Phrase:
    """`"in/ADP Rome/PROPN/LOC"` as tokens; neighbours of one kind are one name."""
    tokens: list[Token] = []
    before = ""
    for word in text.split():
        form, upos, kind = (word + "/").split("/")[:3]
        tag = ("I-" if kind == before else "B-") + kind if kind else "O"
        tokens.append(Token(form, upos, tag))
        before = kind
    return tuple(tokens)


def _verb_phrases(entry: Mapping[str, str]) -> dict[str, VerbPhrase]:
    parts = {form: text.split("|") for form, text in entry.items()}
    return {form: VerbPhrase(parse(head), parse(rest)) for form, (head, rest) in parts.items()}


@cache
def load(language: str) -> Lexicon:
    """The lexicon of a language of `LANGUAGES`."""
    path = LEXICON_DIR / f"{language}.json"
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Lexicon(
        language=raw["language"],
        script=tuple(raw["script"]),
        separator=raw["separator"],
        orders=tuple(tuple(order.split()) for order in raw["orders"]),
        stop=parse(raw["stop"]),
        persons={key: parse(entry["phrase"]) for key, entry in raw["persons"].items()},
        genders={key: entry["gender"] for key, entry in raw["persons"].items()},
        places={key: parse(text) for key, text in raw["places"].items()},
        times={key: parse(text) for key, text in raw["times"].items()},
        actions={
            key: _verb_phrases(entry) for key, entry in (raw["general"] | raw["actions"]).items()
        },
    )
