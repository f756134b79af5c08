"""Names of languages in the report: with regions, and of languages without a task."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score

from evalsuite.report.figures.names import language_and_code, language_name
from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.systems import group
from evalsuite.report.tables.fertility import fertility_table
from evalsuite.report.tables.languages import language_table
from evalsuite.results.fertility import Fertility, FertilityResult


@pytest.mark.parametrize(
    ("code", "name", "with_code"),
    [
        ("sw", "Swahili", "Swahili (sw)"),
        ("hr", "Croatian", "Croatian (hr)"),
        ("zh-TW", "Chinese (TW)", "Chinese (zh-TW)"),
        ("pt_BR", "Portuguese (BR)", "Portuguese (pt_BR)"),
        ("sr-Latn-RS", "Serbian (Latn-RS)", "Serbian (sr-Latn-RS)"),
        ("swh", "Swahili", "Swahili (swh)"),
        ("ceb", "", "ceb"),
        ("xx-YY", "", "xx-YY"),
    ],
)
def test_languages_have_their_names(code: str, name: str, with_code: str) -> None:
    assert language_name(code) == name
    assert language_and_code(code) == with_code


def test_a_language_without_a_name_is_its_code_once() -> None:
    score = a_score(a_model("a"), en=50, **{"pt-BR": 40, "ceb": 30})
    run = a_run(score)
    table = language_table(group(run), columns(run.scores)[0])
    heads = [(row.head.text, row.head.sub) for row in table.rows[:3]]
    assert heads == [("English", "en"), ("ceb", ""), ("Portuguese (BR)", "pt-BR")]
    counts = dict.fromkeys(("hr", "ceb"), Fertility(words=4, subwords=6, split=1, unknown=0))
    result = FertilityResult(
        label="a", tokenizer_digest="t", text="udpos", source="embedded", data_digest="d",
        languages=counts,
    )  # fmt: skip
    rows = fertility_table([result]).rows[:2]
    assert [(row.head.text, row.head.sub) for row in rows] == [("ceb", ""), ("Croatian", "hr")]
