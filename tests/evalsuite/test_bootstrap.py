"""Intervals: the parts of each format make up its main metric, and draws vary as theory says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import guesses
import numpy as np
import pytest
from all_tasks import TARGET
from hypothesis import given, settings
from hypothesis import strategies as st
from report_fakes import a_model, a_run, a_score

from evalsuite import bootstrap, scoring
from evalsuite.agreement.predictions import Reference
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions, Predicted
from evalsuite.inference.open_model import open_model
from evalsuite.language_scores import LanguageScores
from evalsuite.metric import Answers
from evalsuite.metrics import _label_counts
from evalsuite.registry import METRICS, TASKS
from evalsuite.report.output.page import markdown, page
from evalsuite.submission import files
from evalsuite.task import Answer, DataSource, MiningExample, SpanExample

EMBEDDED = DataSource("embedded")


@pytest.mark.parametrize("name", TARGET)
def test_the_parts_make_up_the_main_metric(name: str) -> None:
    task: Any = TASKS.get(name)
    examples = task.load(EMBEDDED, "test", "de")[:80]
    said = guesses.mixed(task, examples)
    answers = scoring.answers(task, "de", examples, said)
    metric = scoring.metric_of(task)
    assert metric.parts is not None
    score, parts = scoring.main_score(answers), metric.parts(answers)
    assert parts.shape == (len(examples), 2)
    assert float(bootstrap.ratio(parts.sum(0))) == pytest.approx(score)
    assert 0 < score < 100
    low, high = bootstrap.interval(bootstrap.draws(parts, seed=1))
    assert low < score < high


LABELS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=30)


@pytest.mark.slow
@settings(max_examples=80)
@given(LABELS, st.data())
def test_macro_f1_is_that_of_scikit_learn_and_of_its_parts(
    gold: list[str | None], data: st.DataObject
) -> None:
    from sklearn.metrics import f1_score

    said = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(gold), max_size=len(gold)))
    metric = METRICS.get("macro_f1")
    task = TASKS.get("xnli")
    answers = Answers(gold=gold, predicted=said, task=task, language="en")
    shown = answers.shown()
    assert metric.parts is not None and metric.of_sums is not None and metric.chance is not None
    parts = metric.parts(answers)
    assert len(parts) == len(gold)
    if not shown.gold:
        assert float(metric.of_sums(parts.sum(0))) == 0
        return
    right = 100 * f1_score(shown.gold, shown.predicted, average="macro")
    assert metric.score(answers)["macro_f1"] == pytest.approx(right)
    assert float(metric.of_sums(parts.sum(0))) == pytest.approx(right)
    best = max(f1_score(shown.gold, [x] * len(shown.gold), average="macro") for x in "abc")
    assert metric.chance(answers) == pytest.approx(100 * best)


def test_draws_vary_as_the_binomial_does() -> None:
    parts = np.array([(row < 300, 1) for row in range(1000)], dtype=float)
    drawn = bootstrap.draws(parts, seed=1)
    assert drawn.shape == (1000,)
    assert drawn.mean() == pytest.approx(30, abs=0.2)
    assert drawn.std() == pytest.approx(100 * np.sqrt(0.3 * 0.7 / 1000), rel=0.1)
    low, high = bootstrap.interval(drawn)
    assert (drawn < low).mean() == pytest.approx(0.025, abs=0.006)
    assert (drawn > high).mean() == pytest.approx(0.025, abs=0.006)


def test_rows_that_add_nothing_change_nothing_but_the_spread() -> None:
    parts = np.array([(1, 1), (0, 1), (0, 0)], dtype=float)
    assert float(bootstrap.ratio(parts.sum(0))) == 50
    assert float(bootstrap.ratio(np.zeros(2))) == 0
    with pytest.raises(ValueError, match="no rows"):
        bootstrap.draws(np.zeros((0, 2)), seed=1)


def test_draws_repeat_themselves_and_do_not_depend_on_their_grouping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = np.random.default_rng(1).random((50, 2))
    first = bootstrap.draws(parts, seed=3)
    assert (first == bootstrap.draws(parts, seed=3)).all()
    assert (first != bootstrap.draws(parts, seed=4)).any()
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 700)
    assert (first == bootstrap.draws(parts, seed=3)).all()


def test_counts_of_drawn_rows_give_the_sums_that_adding_them_gives() -> None:
    rng = np.random.default_rng(2)
    parts = rng.integers(0, 2, (60, 12)).astype(float)
    (rows,) = bootstrap._samples(60, 1, 100)
    added = bootstrap._sums_of_values(parts, rows)
    assert (bootstrap._sums_of_counts(parts, rows) == added).all()
    drawn = bootstrap.draws(parts, 1, 100, of_sums=lambda sums: sums[..., 11])
    assert (drawn == added[:, 11]).all()
    assert (added[0] == parts[rows[0]].sum(0)).all()


@pytest.mark.parametrize("name", ["macro_f1", "micro_f1"])
def test_the_chance_of_one_label_is_that_of_the_best_constant_answer(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric, of = METRICS.get(name), TASKS.get("xnli")
    gold = [*"aaabbbbcd", None, *"eeeeef"]
    assert metric.chance is not None
    answers = Answers(gold=gold, predicted=[], task=of, language="en")
    best = max(
        metric.score(Answers(gold=gold, predicted=[label] * 16, task=of, language="en"))[name]
        for label in "abcdef"
    )
    assert metric.chance(answers) == best
    many = Answers(gold=[str(n % 150) for n in range(3000)], predicted=[], task=of, language="en")
    monkeypatch.delattr(_label_counts, "counts")  # which takes seconds for 150 answers
    right = {"macro_f1": 2 / 151 / 150, "micro_f1": 1 / 150}
    assert metric.chance(many) == pytest.approx(100 * right[name])


@pytest.mark.parametrize(("rows", "sure"), [(1, False), (9, False), (10, True)])
def test_too_few_rows_have_no_interval_and_no_p(
    tiny_nli: Path, tmp_path: Path, rows: int, sure: bool
) -> None:
    task, asked = TASKS.get("xnli"), EvaluationOptions(languages=("en", "de"), max_examples=rows)
    for code in ("en", "de"):
        other = [str(row.label) for row in task.load(EMBEDDED, "test", code)[:rows]]
        files.write(tmp_path, "xnli", code, other)
    found = evaluate(
        open_model(tiny_nli), task, EMBEDDED, label="it", out=tmp_path / "it", options=asked,
        against=Reference("other", tmp_path),
    )  # fmt: skip
    beside = found.comparison
    assert beside is not None and set(beside.agreement) == {"en", "de"}
    assert bool(found.intervals) == bool(beside.intervals) == sure
    assert (found.zero_shot_interval is None) == (beside.p is None) == (not sure)
    assert (beside.zero_shot_interval is None) == (not sure)
    shown = markdown(page(a_run(found)))
    assert shown.count("A language with fewer than 10 rows") == 2 * (not sure)


def test_a_language_alone_that_has_no_interval_is_explained() -> None:
    wide, few = (50.0, 60.0), "A language with fewer than 10 rows"
    found = a_score(a_model("m"), en=50, de=55).model_copy(
        update={"intervals": {"en": wide, "de": wide}, "zero_shot_interval": wide}
    )
    assert few not in markdown(page(a_run(found)))
    less = found.model_copy(update={"intervals": {"de": wide}, "examples": {"en": 5, "de": 200}})
    assert markdown(page(a_run(less))).count(few) == 1
    hidden = less.model_copy(update={"examples": {"en": 200, "de": 200}})  # labels of en
    assert markdown(page(a_run(hidden))).count(few) == 1


@pytest.mark.parametrize(("known", "sure"), [(9, False), (10, True)])
def test_rows_with_hidden_answers_do_not_count_for_an_interval(known: int, sure: bool) -> None:
    of = TASKS.get("mlqa")
    answers = [(Answer("a", 0),) if row < known else () for row in range(200)]
    rows = [SpanExample(str(n), "who?", "a b", gold) for n, gold in enumerate(answers)]
    scores = LanguageScores(of, seed=0)
    scores.add(Predicted("de", rows, ["a"] * 200))
    assert bool(scores.intervals()) is sure
    assert (scores.zero_shot_interval() is not None) is sure


def test_sentences_without_a_translation_count_for_an_interval() -> None:
    scores = LanguageScores(TASKS.get("bucc2018"), seed=0)
    rows = [MiningExample(str(n), "text", ("a",) if n < 5 else ()) for n in range(200)]
    scores.add(Predicted("de", rows, ["a" if n < 4 else None for n in range(200)], candidates=9))
    assert set(scores.intervals()) == {"de"}


def test_results_carry_intervals(tiny_nli: Path, tmp_path: Path) -> None:
    found = evaluate(
        open_model(tiny_nli),
        TASKS.get("xnli"),
        EMBEDDED,
        label="it",
        out=tmp_path,
        options=EvaluationOptions(languages=("en", "de", "sw"), max_examples=40),
    )
    assert set(found.intervals) == {"en", "de", "sw"}
    for language, (low, high) in found.intervals.items():
        assert low <= found.metrics["accuracy"][language] <= high
    mean = found.zero_shot()
    assert found.zero_shot_interval is not None and mean is not None
    low, high = found.zero_shot_interval
    assert low <= mean <= high and high - low < 35
