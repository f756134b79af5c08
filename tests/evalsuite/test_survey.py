"""`lingopress init`: what a person should know of the rows, and a run does not refuse."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from drafts import rows, table

from evalsuite.guess.survey import survey
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask

Put = Callable[[dict[str, str]], None]
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Kündigung") for form in ("NFC", "NFD"))


def warnings(**keys: object) -> list[str]:
    return survey(OwnTask("mine", Declaration.model_validate(keys))).warnings


@pytest.mark.parametrize(
    "labels",
    [(COMPOSED, DECOMPOSED), ("login", "LOGIN"), ("to pay", "to  pay")],
)
def test_labels_that_look_the_same_are_named(put: Put, labels: tuple[str, str]) -> None:
    texts = [text for text, _ in rows(30)]
    found = [(text, "other" if n % 3 else labels[n % 2]) for n, text in enumerate(texts)]
    put({"a.csv": table(found)})
    (said,) = warnings(format="classification", train={"en": "a.csv"})
    assert said.startswith("labels that differ only in case, spaces or Unicode form")
    assert all(f"{label!r} (5 rows)" in said for label in labels)


def test_rows_with_one_text_and_two_labels_are_named(put: Put) -> None:
    text = "The parcel is here."
    twice = [(text, "a"), (text, "b"), (text.lower(), "b")]
    found = [(text, "ab"[n % 2]) for n, (text, _) in enumerate(rows(20))]
    put({"a.csv": table([*found, found[3], *twice])})
    same, other = warnings(format="classification", train={"en": "a.csv"})
    assert same == "2 train rows repeat another"  # one of them with the second label
    assert other.startswith("1 train rows repeat another with a different answer")
    assert other.endswith("'the parcel is here.' (a | b)")


@pytest.mark.parametrize(
    ("format", "head", "answers", "said"),
    [
        ("regression", "text,score", ("1", "2.5"), "(1 | 2.5)"),
        ("multilabel", "text,labels", ("a|b", "b"), "(a, b | b)"),
    ],
)
def test_other_answers_are_compared_too(
    put: Put, format: str, head: str, answers: tuple[str, str], said: str
) -> None:
    put({"a.csv": f"{head}\n" + "".join(f"It rains.,{answer}\n" for answer in answers)})
    assert any(line.endswith(said) for line in warnings(format=format, train={"en": "a.csv"}))


def test_long_answers_are_cut(put: Put) -> None:
    sentences = ([("go", "O")] * 79 + [("home", tag)] for tag in ("O", "B-LOC"))
    lines = ("".join(f"{word}\t{tag}\n" for word, tag in words) for words in sentences)
    put({"a.conll": "\n".join(lines)})
    (said,) = [line for line in warnings(format="tagging", train={"en": "a.conll"}) if "go" in line]
    tags = "O O O O O O O O O O O O O O O O O O ..."
    assert said.endswith(f"'go go go go go go go go go go go go ...' ({tags} | {tags})")


def test_a_few_of_many_answers_are_shown_of_a_text_without_spaces(put: Put) -> None:
    put({"a.csv": table([("雨" * 50, f"label {n}") for n in range(30)])})
    (said, *_) = warnings(format="classification", train={"zh": "a.csv"})
    assert said.endswith(f"'{'雨' * 36} ...' (label 0 | label 1 | label 2 | ...)")
