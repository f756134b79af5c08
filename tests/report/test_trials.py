"""Which trials of a search are within its budget."""

from __future__ import annotations

import pytest
from report_fakes import a_model, a_run, a_score, a_speed

from evalsuite.report.figures.trials import score_trials, within
from evalsuite.report.tables.trials import search_table
from evalsuite.results.search import Search, Trial


@pytest.mark.parametrize(
    ("difference", "fits"), [(-0.3, True), (-(0.1 + 0.2), True), (-0.31, False), (0.5, True)]
)
def test_points_that_are_met_exactly_fit(difference: float, fits: bool) -> None:
    trial = Trial(assignment={}, average=60.0, difference=difference)
    search = Search(
        candidate="small", reference="teacher", budget="points", limit=0.3, knobs={}, most=1,
        trials=(trial,),
    )  # fmt: skip
    assert within(search, trial) is fits
    assert not within(search, Trial(assignment={}, average=60.0))  # not measured
    shown = search_table(search).rows[0].cells[-2].text
    assert shown == ("within" if fits else "over")


def test_a_trial_that_was_timed_later_in_another_setting_keeps_its_time() -> None:
    models = {size: a_model(f"small[size={size}]") for size in ("1", "2")}
    speeds = tuple(a_speed(models[size], 100.0, threads=int(size)) for size in models)
    run = a_run(*(a_score(model, en=60.0, de=50.0) for model in models.values()), speeds=speeds)
    search = Search(
        candidate="small", reference="teacher", budget="ms", limit=1000.0,
        knobs={"size": ("1", "2")}, most=2,
        trials=tuple(Trial(assignment={"size": size}) for size in models),
    )  # fmt: skip
    found = score_trials(run.model_copy(update={"search": search})).search
    assert found is not None
    assert [trial.within for trial in found.trials] == [True, True]
    assert None not in [trial.p50_ms for trial in found.trials]
