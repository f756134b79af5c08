"""Which trials of a search are within its budget."""

from __future__ import annotations

import pytest

from evalsuite.report.figures.trials import within
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
