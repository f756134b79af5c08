"""Systems in the report: which labels are variants of one system."""

from __future__ import annotations

import pytest
from report_fakes import LABELS, a_model, a_run, a_score, run_of_three_systems

from evalsuite.report.figures.labels import Label, parse
from evalsuite.report.figures.systems import group, task_variables
from evalsuite.results.run import RunRecord


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return run_of_three_systems()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("base", Label("base")),
        ("t[task=xnli,seed=1]", Label("t", (("task", "xnli"), ("seed", "1")))),
        ("org/model[odd", Label("org/model[odd")),
        ("t[xnli]", Label("t[xnli]")),
        ("t[a=b=c]", Label("t", (("a", "b=c"),))),
    ],
)
def test_labels(text: str, label: Label) -> None:
    assert parse(text) == label
    assert str(label) == text


def test_variants_of_different_tasks_are_one_system(run: RunRecord) -> None:
    assert task_variables(run) == {"task"}
    assert [(s.name, len(s.models)) for s in group(run)] == [
        ("teacher", 2),
        ("int8", 2),
        ("base", 1),
    ]


def test_seeds_and_sizes_are_systems_of_their_own() -> None:
    run = a_run(
        *(
            a_score(a_model(f"t[seed={seed},task={task}]"), task, en=1, de=2)
            for seed in (1, 2)
            for task in LABELS
        )
    )
    assert [system.name for system in group(run)] == ["t[seed=1]", "t[seed=2]"]


def test_a_variable_with_one_value_is_dropped_when_it_names_the_task() -> None:
    run = a_run(a_score(a_model("t[task=xnli,size=base]"), en=1, de=2))
    assert [system.name for system in group(run)] == ["t[size=base]"]


def test_two_intermediate_tasks_scored_on_the_same_tasks_stay_apart() -> None:
    run = a_run(
        *(a_score(a_model(f"t[via={via}]"), task, en=1, de=2) for via in LABELS for task in LABELS)
    )
    assert [system.name for system in group(run)] == ["t[via=xnli]", "t[via=udpos]"]


def test_one_label_in_two_runtimes_is_two_systems() -> None:
    run = a_run(*(a_score(a_model("s", 1, r), en=1, de=2) for r in ("torch", "onnxruntime")))
    assert [system.name for system in group(run)] == ["s · torch fp32", "s · onnxruntime int8"]
