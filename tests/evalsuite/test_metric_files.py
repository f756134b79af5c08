"""Every metric file keeps the contract, and a task with a metric that does not fit is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import guesses
import numpy as np
import pytest
from all_tasks import ALL, TARGET

from evalsuite import bootstrap, scoring
from evalsuite.errors import MetricError
from evalsuite.metric import KINDS, Answers
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.registry import FORMATS, METRICS, TASKS
from evalsuite.task import DataSource, PairExample

EMBEDDED = DataSource("embedded")
XNLI = TASKS.get("xnli")
ROWS = [PairExample(str(n), "a", "b", label) for n, label in enumerate(XNLI.labels * 20)]


def test_the_catalogue() -> None:
    assert METRICS.names() == (
        *("accuracy", "answer_f1", "calibration_error", "chunk_f1", "f1", "macro_f1", "mae"),
        *("map_at_20", "matthews", "micro_f1", "mining_f1", "pearson", "recall_at_10"),
        *("retrieval_accuracy", "spearman", "token_accuracy"),
    )
    assert len(scoring.titles()) == sum(len(METRICS.get(n).titles) for n in METRICS.names()) == 23
    named = {task.metric for task in ALL} | {name for task in ALL for name in task.also}
    named |= {name for form in FORMATS.names() for name in FORMATS.get(form).ALSO}
    declared = {"matthews", "recall_at_10"}  # for tasks that recipes declare
    assert named == set(METRICS.names()) - declared  # none is dead


@pytest.mark.parametrize("name", METRICS.names())
def test_a_file_is_named_after_its_main_score(name: str) -> None:
    metric = METRICS.get(name)
    assert metric.name == name
    assert metric.reads in KINDS
    assert set(metric.hub) <= set(metric.titles)


def test_every_format_has_metrics_that_read_its_rows() -> None:
    for form in FORMATS.names():
        kinds = scoring.kinds(form)  # type: ignore[arg-type]
        assert set(kinds) <= set(KINDS)
        for name in FORMATS.get(form).ALSO:
            assert set(METRICS.get(name).kinds) & set(kinds)


def task(base: Any = XNLI, **changed: Any) -> Any:
    return type("Changed", (type(base),), {"name": "mine", **changed})()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"metric": "acuracy"},
            "task mine: unknown metric 'acuracy'; did you mean 'accuracy'?\nknown: accuracy",
        ),
        (
            {"metric": "chunk_f1"},
            "task mine: metric chunk_f1 reads tags, and the task's rows hold label\n"
            "metrics that fit: accuracy, f1, macro_f1",
        ),
        (
            {"also": ("map_at_20",)},
            "task mine: metric map_at_20 reads ranking, and the task's rows hold label and "
            "probabilities\nmetrics that fit: accuracy, calibration_error, f1, macro_f1",
        ),
        ({"metric": "calibration_error"}, "metrics that fit: accuracy, f1, macro_f1"),
        ({"also": ("f1",)}, "task mine: metric f1 needs `positive`; set it in the task's file"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(MetricError, match=re.escape(message)):
        scoring.metric_of(task(**changed))


def test_no_other_format_than_the_declared_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.csv").write_text("text,label\na,login\nb,shipping\n")
    labels = ["login", "shipping"]
    declared = Declaration(
        format="classification",
        metric="spearman",
        labels=labels,
        test={"en": str(tmp_path / "en.csv")},
    )
    said = "metric spearman reads score, and the task's rows hold label\n"
    with pytest.raises(MetricError, match=said) as raised:
        scoring.metric_of(task_of("topics", declared))
    assert "pair" not in str(raised.value).partition("\n")[0]


def test_check_and_run_refuse_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from evalsuite.language_scores import LanguageScores
    from recipes.cli.app import main

    monkeypatch.setattr(type(XNLI), "metric", "mining_f1")
    with pytest.raises(MetricError, match="metric mining_f1 reads pairs"):
        LanguageScores(XNLI, seed=0)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nsource: embedded\nseed: 1\nstages:\n"
        "  - {name: scores, stage: evaluate, models: [org/model], tasks: [xnli]}\n"
    )
    with pytest.raises(SystemExit) as end:
        main(["check", str(recipe)])
    assert end.value.code == 2
    shown = capsys.readouterr().err
    assert "task xnli: metric mining_f1 reads pairs, and the task's rows hold" in shown
    assert "metrics that fit: accuracy, f1, macro_f1" in shown


def test_what_is_named_in_also_is_scored() -> None:
    both = task(also=("f1",), positive="neutral")
    said = guesses.mixed(both, ROWS)
    scores = scoring.score(scoring.answers(both, "de", ROWS, said))
    assert list(scores) == ["accuracy", "f1"]


@pytest.mark.parametrize("name", [name for name in TARGET if TASKS.get(name).format != "ranking"])
def test_scoring_samples_anew_is_the_same_as_summing_parts(name: str) -> None:
    found: Any = TASKS.get(name)
    examples = found.load(EMBEDDED, "test", "de")[:30]
    answers = scoring.answers(found, "de", examples, guesses.mixed(found, examples))
    metric = scoring.metric_of(found)
    assert metric.parts is not None

    def again(rows: np.ndarray) -> float:
        return metric.score(answers.take(rows.tolist()))[metric.name]

    anew = bootstrap.draws_anew(again, len(examples), seed=3, resamples=20)
    assert anew == pytest.approx(bootstrap.draws(metric.parts(answers), 3, resamples=20))


def test_a_sample_without_a_gold_label_scores_0(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    metric = METRICS.get("accuracy")
    rows = Answers(gold=["a", None], predicted=["a", "b"], task=XNLI, language="de")
    summed = scoring.draws(rows, seed=1)
    monkeypatch.setattr("evalsuite.metrics.accuracy.METRIC", replace(metric, parts=None))
    assert scoring.draws(rows, seed=1).tolist() == summed.tolist()
    assert set(summed) == {0, 100}
    with pytest.raises(ValueError, match="no rows to draw"):
        bootstrap.draws_anew(lambda rows: 0.0, 0, seed=1)


def test_rows_of_other_predictions_are_refused() -> None:
    short = Answers(gold=["a", None, "b"], predicted=["a"], task=XNLI, language="de")
    with pytest.raises(ValueError, match="1 predictions for 3 rows"):
        short.shown()


def test_a_metric_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    from recipes.cli.app import main

    for arguments, expected in (
        (["ls", "metrics"], "chunk_f1            F1, precision and recall of chunks of tags"),
        (
            ["ls", "metrics", "chunk_f1"],
            "reads tags: a row has a tag for each word\nformats: tagging",
        ),
        (["ls", "metrics", "chunk_f1"], "chunk_precision  chunk precision  precision"),
        (["ls", "metrics", "accuracy"], "formats: choice, pair\n"),
        (["ls", "metrics", "f1"], "a task must have: positive\n"),
        (["ls", "metrics", "calibration_error"], "scored next to a task's main metric only"),
        (["ls", "tasks", "qqp"], "metric     accuracy, F1"),
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert not end.value.code and expected in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main(["ls", "metrics", "chunk_f2"])
    assert end.value.code == 2
    assert "unknown metric 'chunk_f2'; did you mean 'chunk_f1'?" in capsys.readouterr().err
