"""The form in which answers to questions are compared, as SQuAD and as MLQA normalise them.

>>> squad("The Rhine!"), mlqa("de")("der Rhein?")
('rhine', 'rhein')

XQuAD and TyDiQA-GoldP are scored with SQuAD 1.1's rules in every language (Rajpurkar et al. 2016),
English articles and ASCII punctuation alone; MLQA (Lewis et al. 2020) has articles for each of its
languages, all of Unicode's punctuation, and every Han character as a token. The references are
`evaluate_squad.py` and `evaluate_mlqa.py` in `third_party` of google-research/xtreme.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable
from functools import partial

from evalsuite.languages import without_region

Normal = Callable[[str], str]

_ENGLISH = r"\b(a|an|the)\b"
# Those of Arabic are taken off inside words too, as the reference does.
_ARTICLES = {
    "ar": r"\sال^|ال",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": _ENGLISH,
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
}
_HAN = re.compile(r"([\u4e00-\u9fa5])")


def squad(answer: str) -> str:
    """SQuAD 1.1's form of an answer: small letters, no ASCII punctuation, no English articles."""
    plain = "".join(c for c in answer.lower() if c not in string.punctuation)
    return " ".join(re.sub(_ENGLISH, " ", plain).split())


def mlqa(language: str) -> Normal:
    """MLQA's form of an answer in a language (any: those MLQA lacks have no articles).

    Args:
        language: a code, of a region or a script too: the rules of `zh-TW` and `zho_Hans` are those
            of `zh`.
    """
    return partial(_mlqa, language=re.split("[-_]", without_region(language))[0])


def _mlqa(answer: str, language: str) -> str:
    plain = "".join(c for c in answer.lower() if not _is_punctuation(c))
    if articles := _ARTICLES.get(language):
        plain = re.sub(articles, " ", plain)
    if language == "zh":
        plain = _HAN.sub(r" \1 ", plain)
    return " ".join(plain.split())


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] == "P"
