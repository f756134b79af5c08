"""`lingopress init`: a length that does not cut rows, in scripts with few characters per token."""

from __future__ import annotations

import pytest

from evalsuite.errors import DataError
from evalsuite.guess.token_count import expected_tokens
from recipes.cli.draft_commands import _codes
from recipes.drafting.defaults import training_for
from recipes.errors import RecipesError

CHINESE, JAPANESE, KOREAN = "今天又下雨了", "きょうも雨が降っています", "오늘도비가내립니다"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (CHINESE * 10, 60 / 1.3),
        (JAPANESE * 10, 120 / 1.3),
        (KOREAN * 10, 90 / 1.7),
        ("rain " * 9, 15),
    ],
)
def test_tokens_that_are_expected(text: str, tokens: float) -> None:
    assert expected_tokens(text) == pytest.approx(tokens)


@pytest.mark.parametrize(
    ("text", "length"),
    [("rain " * 70, 128), (CHINESE * 30, 256), (JAPANESE * 20, 256), (KOREAN * 40, 256)],
)
def test_the_length_of_a_recipe_fits_long_rows(text: str, length: int) -> None:
    assert training_for(100, 384, round(expected_tokens(text))).max_length == length


def test_codes_of_an_option_are_written_as_files_have_them() -> None:
    assert _codes("--languages", "en, pt-br,deu,pt-BR,German") == ("en", "pt-BR", "de")


def test_languages_of_an_option_may_have_no_code_of_two_letters() -> None:
    assert _codes("--languages", "en,ceb,fil,xyz,CEB") == ("en", "ceb", "tl", "xyz")
    with pytest.raises(DataError, match=r"^--train-on: 'xx' is no language code such as de"):
        _codes("--train-on", "en,xx")
    with pytest.raises(RecipesError, match=r"^--languages ,: write codes, as en,de,hi"):
        _codes("--languages", ",")
