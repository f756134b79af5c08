"""Rows without labels are not scored, and a recipe that asks for it is refused at `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import DataError
from evalsuite.evaluate import evaluate
from evalsuite.own.declared import declare
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import RecipeError, StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.stages._shared.labelled_rows import refuse_unknown_languages
from recipes.stages.evaluate import _without_labels

HEAD = """
name: unlabelled
source: files
tasks:
  topics:
    format: classification
    train: {en: train.csv}
    test: TEST
stages:
  - {name: t, stage: train, model: "package:recipes/models/e5-mini", tasks: [topics],
     max_steps: 1, method: full}
  - {name: u, stage: train, model: "package:recipes/models/e5-mini", tasks: [topics],
     max_steps: 2, method: full}
"""
HIDDEN = "{de: {text: de.text}}"
SOME = "{en: {text: en.text, label: en.label}, de: {text: de.text}}"
SCORES = "{name: scores, stage: evaluate, models: [t], tasks: [topics]KEYS}"
IN_DE = ", languages: [de]"
TRIM = "{name: small, stage: trim, model: t, text: [de.text]KEYS}"
FUSE = """{name: a, stage: train, model: "package:recipes/models/e5-mini", tasks: [topics],
     max_steps: 1, method: lora}
  - {name: f, stage: fuse, model: aKEYS}"""
CASCADE = "{name: both, stage: cascade, models: [t, u], task: topics, max_lost: 1KEYS}"
NO_LABELS = "topics: its test rows in de have no labels, so they cannot be scored; give a file with"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("text,label\nIt rains.,weather\nWe won.,sports\n")
    Path("de.text").write_text("Es regnet.\nGewonnen!\n")
    Path("en.text").write_text("It rains.\nWe won.\n")
    Path("en.label").write_text("weather\nsports\n")
    yield
    declare({})


def plan(test: str, stage: str, keys: str = "") -> Plan:
    text = f"{HEAD}  - {stage}\n".replace("TEST", test).replace("KEYS", keys)
    Path("r.yaml").write_text(text, encoding="utf-8")
    return make_plan(load("r.yaml"), None, DigestMemo(), keys=False, weights=False)


@pytest.mark.parametrize(
    ("test", "stage", "keys", "said"),
    [
        (HIDDEN, SCORES, "", f"tasks: {NO_LABELS} labels"),
        (HIDDEN, SCORES, IN_DE, f"languages: {NO_LABELS} labels"),
        (SOME, SCORES, IN_DE, f"languages: {NO_LABELS} labels, or score other languages: en"),
        (HIDDEN, SCORES, ", languages: [en]", "languages: topics has no 'en'; it has de"),
        (HIDDEN, TRIM, ", max_lost: 1", f"max_lost: {NO_LABELS} labels"),
        (HIDDEN, TRIM, ", max_lost_per_language: 1", f"max_lost_per_language: {NO_LABELS} labels"),
        (HIDDEN, CASCADE, ", max_drop: 1", f"max_drop: {NO_LABELS} labels"),
        (HIDDEN, FUSE, ", score_rows: 20", f"score_rows: {NO_LABELS} labels"),
    ],
)
def test_what_has_no_labels_is_not_scored(test: str, stage: str, keys: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        plan(test, stage, keys)
    assert said in str(caught.value) and "1 problem" in str(caught.value)


def test_every_language_that_a_task_does_not_have_is_named() -> None:
    with pytest.raises(RecipeError) as caught:
        plan(HIDDEN, SCORES, ", languages: [xx, de, German]")
    assert "languages: topics has no 'xx' and no 'German'; it has de" in str(caught.value)
    known = {"topics": ("de", "sw"), "xnli": ("de", "ru")}
    with pytest.raises(StageInputError) as raised:
        refuse_unknown_languages(("xx", "ru"), known)
    assert str(raised.value).splitlines() == [
        "languages: topics has no 'xx' and no 'ru'; it has de sw",
        "xnli has no 'xx'; it has de ru",
    ]
    refuse_unknown_languages(None, known)


@pytest.mark.parametrize(
    ("test", "stage", "keys"),
    [(SOME, SCORES, ""), (SOME, SCORES, ", languages: [en]"), (HIDDEN, TRIM, ""),
     (SOME, TRIM, ", max_lost: 1"), (HIDDEN, CASCADE, ""),
     (SOME, FUSE, ", score_rows: 20"), (HIDDEN, FUSE, "")],
)  # fmt: skip
def test_rows_with_labels_and_rows_that_are_only_read_are_taken(
    test: str, stage: str, keys: str
) -> None:
    assert [planned.name for planned in plan(test, stage, keys).stages][:2] == ["t", "u"]


@pytest.mark.parametrize("stage", [SCORES, SCORES.replace("KEYS", IN_DE)])
def test_a_faulty_file_is_one_problem(stage: str) -> None:
    Path("de.csv").write_text("text,label\n,weather\n")
    with pytest.raises(RecipeError, match="1 problem"):
        plan("{de: de.csv}", stage)


@pytest.mark.parametrize(("test", "languages"), [(HIDDEN, None), (SOME, ("de",))])
def test_evaluating_says_that_there_are_no_labels(
    test: str, languages: tuple[str, ...] | None, tmp_path: Path
) -> None:
    from evalsuite.evaluation import EvaluationOptions

    plan(test, TRIM)
    options = EvaluationOptions(languages=languages)
    model: Any = None  # rows are looked at first
    with pytest.raises(DataError, match=NO_LABELS):
        evaluate(
            model, TASKS.get("topics"), DataSource("files"), label="t", out=tmp_path,
            options=options,
        )  # fmt: skip


def test_languages_of_other_splits_and_without_labels_are_not_absent() -> None:
    plan("{de: {text: de.text}, fr: {text: en.text, label: en.label}}", TRIM)
    task, source = TASKS.get("topics"), DataSource("files")
    assert task.languages == ("en", "de", "fr") and task.available(source, "test") == ("fr",)
    assert task.absent(source, "test") == ()
    assert _without_labels(task, source, "test") == ["de"]
    xnli, embedded = TASKS.get("xnli"), DataSource("embedded")
    assert "th" in xnli.absent(embedded, "test") and xnli.absent(embedded, "train") == ()


def test_fusing_scores_the_languages_that_have_labels() -> None:
    from compress.fuse.fuse import _labelled_rows
    from evalsuite.inference.probe_text import Probe

    plan(SOME, TRIM)
    rows = _labelled_rows(Probe(TASKS.get("topics"), DataSource("files"), 20))
    assert {language: len(own) for language, own in rows.items()} == {"en": 2}
    plan(HIDDEN, TRIM)
    with pytest.raises(DataError, match=NO_LABELS):
        _labelled_rows(Probe(TASKS.get("topics"), DataSource("files"), 20))
