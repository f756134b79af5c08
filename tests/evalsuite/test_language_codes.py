"""A code of a language, however it is written, and what counts as the same language."""

from __future__ import annotations

import pytest

from evalsuite.guess.language_names import NAMES
from evalsuite.iso_codes import TO_TWO_LETTERS
from evalsuite.languages import is_zero_shot, without_region


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        *(("hrv_Latn", "hr"), ("hr-Latn", "hr"), ("kan_Knda", "kn"), ("nob_Latn", "nb")),
        *(("azj_Latn", "az"), ("iw", "he"), ("in", "id"), ("ger", "de"), ("fil", "tl")),
        *(("ur_Aran", "ur"), ("eng_Latn", "en"), ("en-Latn-US", "en"), ("sr-Cyrl-RS", "sr")),
        *(("khk_Cyrl", "mn"), ("bod_Tibt", "bo"), ("pes_Arab", "fa"), ("ory_Orya", "or")),
    ],
)
def test_one_language_in_two_spellings(code: str, seen: str) -> None:
    assert not is_zero_shot(code, [seen]) and not is_zero_shot(seen, [code])


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        *(("sr-Latn", "sr"), ("zh-Hans", "zh-Hant"), ("az-Cyrl", "az"), ("pt", "es")),
        *(("prs_Arab", "fa"), ("yue_Hant", "zh"), ("kk-Latn", "kk")),
    ],
)
def test_scripts_and_languages_that_differ(code: str, seen: str) -> None:
    assert is_zero_shot(code, [seen]) and is_zero_shot(seen, [code])


def test_each_language_has_a_code_of_three_letters() -> None:
    assert set(TO_TWO_LETTERS.values()) == set(NAMES)
    assert all(without_region(code) == code for code in NAMES)
