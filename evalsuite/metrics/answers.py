"""Exact match and F1 of answers to questions, as SQuAD and as MLQA normalise them.

>>> answer_scores([["the Rhine", "Rhine"], ["1867"]], ["Rhine!", "in 1867"], squad)
{'exact_match': 50.0, 'answer_f1': 83.33333333333333}

XQuAD and TyDiQA-GoldP are scored with SQuAD 1.1's rules in every language (Rajpurkar et al. 2016),
English articles and ASCII punctuation alone; MLQA (Lewis et al. 2020) has articles for each of its
languages, all of Unicode's punctuation, and every Han character as a token. The references are
`evaluate_squad.py` and `evaluate_mlqa.py` in `third_party` of google-research/xtreme.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

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
    """MLQA's form of an answer in a language (any: those MLQA lacks have no articles)."""
    return partial(_mlqa, language=language)


def _mlqa(answer: str, language: str) -> str:
    plain = "".join(c for c in answer.lower() if not _is_punctuation(c))
    if articles := _ARTICLES.get(language):
        plain = re.sub(articles, " ", plain)
    if language == "zh":
        plain = _HAN.sub(r" \1 ", plain)
    return " ".join(plain.split())


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] == "P"


def answer_scores(
    gold: Sequence[Sequence[str]], predicted: Sequence[str | None], normal: Normal
) -> dict[str, float]:
    """`exact_match` and `answer_f1` in percent; the best of a question's gold answers counts.

    Args:
        gold: the answers that are right, a question.
        predicted: one answer a question; None is none, and scores 0.
        normal: `squad`, or `mlqa(language)`.

    Raises:
        ValueError: no questions, one without gold answers, or not as many predictions.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} predicted answers for {len(gold)} questions")
    if not gold or not all(gold):
        raise ValueError("no questions to score" if not gold else "a question without answers")
    exact = f1 = 0.0
    for answers, answer in zip(gold, predicted, strict=True):
        if answer is not None:
            exact += normal(answer) in [normal(one) for one in answers]
            f1 += answer_f1(answers, answer, normal)
    return {"exact_match": 100 * exact / len(gold), "answer_f1": 100 * f1 / len(gold)}


def answer_f1(gold: Sequence[str], said: str, normal: Normal) -> float:
    """F1 of one answer against the best of the right ones, 0 to 1; 0 where there are none.

    Where the right answer is the empty text, of a question without an answer, it is 1 for an empty
    answer and else 0, as in SQuAD 2.0's `evaluate-v2.0.py` (Rajpurkar et al. 2018).
    """
    words = normal(said).split()
    found = (_f1(words, normal(one).split()) if one else float(not words) for one in gold)
    return max(found, default=0.0)


def _f1(said: Sequence[str], right: Sequence[str]) -> float:
    """Of token counts; 0 where none is shared, also where both have none."""
    shared = (Counter(said) & Counter(right)).total()
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall)
