"""Scores over seeds: what is one but for its seed, its mean and its deviation."""

from __future__ import annotations

import pytest
from report_fakes import LABELS, a_model, a_run, a_score, run_of_three_systems

from evalsuite.report.figures.scores import columns
from evalsuite.report.figures.seeds import Spread, over_seeds, seed_groups, spread
from evalsuite.report.figures.systems import group
from evalsuite.report.figures.trials import score_trials
from evalsuite.report.figures.verdict import headline_systems
from evalsuite.report.output.page import html, markdown, page
from evalsuite.report.table import Table
from evalsuite.report.tables.seeds import seed_table
from evalsuite.results.run import RunRecord
from evalsuite.results.search import Search, Trial
from evalsuite.results.task import TaskResult

GERMAN = {1: 50.0, 2: 52.0, 3: 57.0}  # mean 53, squares 9 + 1 + 16, deviation sqrt(13)


def texts(table: Table) -> dict[str, list[tuple[str, str]]]:
    return {row.head.text: [(cell.text, cell.sub) for cell in row.cells] for row in table.rows}


def table_of(run: RunRecord) -> Table:
    return seed_table(group(run), columns(run.scores))


def of_seed(seed: int, task: str, german: float) -> TaskResult:
    return a_score(a_model(f"t[task={task},seed={seed}]"), task, en=90, de=german)


@pytest.fixture
def run() -> RunRecord:
    """A teacher of three seeds on two tasks, ten points better on the second; a base without."""
    scores = [
        of_seed(seed, task, german + 10 * (task == "udpos"))
        for seed, german in GERMAN.items()
        for task in LABELS
    ]
    return a_run(*scores, *(a_score(a_model("base"), task, en=1, de=2) for task in LABELS))


def test_spread_is_that_of_a_sample() -> None:
    assert spread([50, 52, 57]) == Spread(53, pytest.approx(13**0.5), 3)
    assert spread([4.0]) == Spread(4, None, 1)


def test_systems_that_differ_in_the_seed_alone_are_put_together(run: RunRecord) -> None:
    found = seed_groups(group(run))
    assert {name: [s.name for s in own] for name, own in found.items()} == {
        "t": ["t[seed=1]", "t[seed=2]", "t[seed=3]"]
    }
    table = table_of(run)
    assert [column.text for column in table.columns] == ["XNLI", "UD-POS", "Average"]
    means = ("53.0 ± 3.6", "63.0 ± 3.6", "58.0 ± 3.6")
    assert texts(table) == {"t": [(mean, "3 seeds") for mean in means]}


def test_sizes_stay_apart_and_one_seed_makes_no_group() -> None:
    labels = ("t[size=a,seed=1]", "t[size=a,seed=2]", "t[size=b,seed=1]")
    found = table_of(a_run(*(a_score(a_model(label), en=1, de=50) for label in labels)))
    assert list(texts(found)) == ["t[size=a]"]


def test_runtimes_stay_apart() -> None:
    run = a_run(
        *(
            a_score(a_model(f"t[seed={seed}]", 1, runtime), en=1, de=seed)
            for seed in (1, 2)
            for runtime in ("torch", "onnxruntime")
        )
    )
    assert list(texts(table_of(run))) == ["t · torch fp32", "t · onnxruntime int8"]


def test_other_rows_are_not_put_together(run: RunRecord) -> None:
    other = run.scores[0].model_copy(update={"data_digest": "sha256:other"})
    table = table_of(run.model_copy(update={"scores": (other, *run.scores[1:])}))
    assert [text for text, _ in texts(table)["t"]] == ["–", "63.0 ± 3.6", "–"]
    assert any("different rows" in note for note in table.notes)


def test_a_task_that_one_seed_has_says_so(run: RunRecord) -> None:
    kept = [s for s in run.scores if s.task == "xnli" or "seed=1" in s.model.label]
    table = table_of(run.model_copy(update={"scores": tuple(kept)}))
    assert texts(table)["t"] == [("53.0 ± 3.6", "3 seeds"), ("60.0", "1 seed"), ("–", "")]


def headline_of(run: RunRecord) -> str:
    return page(run).headline.replace("\u00a0", " ")


def of_sizes(german: dict[str, float]) -> RunRecord:
    """Models of 2 kB, those that begin with `s` of 1 kB, with their scores in German."""
    sizes = {label: 1000 if label.startswith("s") else 2000 for label in german}
    return a_run(*(a_score(a_model(m, sizes[m]), en=1, de=value) for m, value in german.items()))


def test_the_headline_picks_no_seed() -> None:
    german = {"t[seed=1]": 4.1, "t[seed=2]": 40.9, "s[seed=1]": 23.6, "s[seed=2]": 12.4}
    run = of_sizes(german)
    assert (
        headline_of(run)
        == "s: 2.0× smaller than t, −4.5 points zero-shot on XNLI, means over seeds."
    )
    other = run.scores[3].model_copy(update={"data_digest": "sha256:other"})
    apart = run.model_copy(update={"scores": (*run.scores[:3], other)})
    assert headline_of(apart) == "s: 2.0× smaller than t, means over seeds."
    teachers = run.model_copy(update={"scores": run.scores[:2]})
    assert headline_of(teachers) == "t: 0.00 MB, 22.5 zero-shot on XNLI, means over seeds."


def test_a_system_with_the_name_of_a_group_is_not_lost() -> None:
    run = of_sizes({"s": 10.0, "s[seed=1]": 23.6, "s[seed=2]": 12.4})
    found = over_seeds(group(run), columns(run.scores))
    assert [(own.name, len(own.models)) for own in found] == [("s", 1), ("s over seeds", 2)]


def test_the_headline_of_a_search_without_systems_is_made() -> None:
    search = Search(
        candidate="s", reference="t", budget="MB", limit=1.0, knobs={"size": ("2",)}, most=1,
        trials=(Trial(assignment={"size": "2"}),), recommended=0,
    )  # fmt: skip
    assert headline_systems((), search) == ()


def test_the_headline_of_a_search_has_all_seeds_of_its_first_system() -> None:
    german = {
        "t[seed=1]": 4.0,
        "t[seed=2]": 40.0,
        "s[seed=1,size=2]": 20.0,
        "s[seed=2,size=2]": 10.0,
    }
    search = Search(
        candidate="s", reference="t", budget="MB", limit=1.0, knobs={"size": ("2",)}, most=1,
        trials=(Trial(assignment={"size": "2"}),),
    )  # fmt: skip
    found = score_trials(of_sizes(german).model_copy(update={"search": search}))
    assert headline_of(found).startswith("s[size=2]: 2.0× smaller than t, −7.0 points")


def test_the_recipes_seed_is_not_taken_for_that_of_the_stages(run: RunRecord) -> None:
    stages = tuple(
        run.stages[0].model_copy(update={"config": {"seed": seed}}) for seed in (2, 1, None, 7)
    )
    content = page(run.model_copy(update={"stages": stages}))
    said = "Seed of the recipe: 7. Some stages have another seed: 1 and 2."
    assert said in markdown(content) and said in html(content)
    assert "Some stages" not in markdown(page(run))


@pytest.mark.slow
def test_the_section_stands_in_both_files_or_in_none(run: RunRecord) -> None:
    content = page(run)
    assert 'id="seeds"' in html(content)
    assert "## Over seeds" in markdown(content)
    without = page(run_of_three_systems())
    assert 'id="seeds"' not in html(without) and "#seeds" not in html(without)
    assert "## Over seeds" not in markdown(without)
