"""`search:` in a recipe: which assignments are tried, what is made, which are best."""

from __future__ import annotations

import json
import os
import random
from itertools import product
from pathlib import Path

import pytest
from searches import FAKES, RECIPE, figures, found, made, write

from evalsuite.report.output.read_report import read
from recipes.execution.run_options import RunOptions
from recipes.parsing import knobs
from recipes.run import run_recipe
from recipes.search import feasible
from recipes.search.optuna_sampler import Sampler


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_a_small_grid_is_exhausted_and_what_is_shared_is_made_once(bench):
    outcome = run_recipe(write(bench, trials=50))
    trials = found(outcome).trials
    tried = [tuple(trial.assignment.values()) for trial in trials]
    everything = set(product("234", ("200", "300", "400"), ("fp32", "int8")))
    assert len(tried) == 18 and set(tried) == everything
    lines = made()
    assert sum(line.startswith("teacher") for line in lines) == 1
    assert sum(line.startswith("student") for line in lines) == 9
    assert sum(line.startswith("packed") for line in lines) == 18
    labels = [stage.label for stage in outcome.stages]
    assert len(set(labels)) == len(labels) and "before" in labels
    assert "student[layers=3,width=300]" in labels
    assert "scores[layers=3,width=300,precision=int8]" in labels


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_figures_front_and_recommendation_are_those_of_brute_force(bench):
    for budget, limit in (("MB: 12", 12), ("ms: 6", 6), ("points: 9", 9)):
        search = found(run_recipe(write(bench, budget=budget)))
        points = {}
        for trial in search.trials:
            layers, width, precision = trial.assignment.values()
            score, megabytes, ms = figures(int(layers), int(width), precision)
            assert trial.average == pytest.approx(score)
            assert trial.difference == pytest.approx(score - 80)
            assert trial.bytes == pytest.approx(megabytes * 1e6, abs=1)
            assert trial.p50_ms == pytest.approx(ms)
            x = ms if budget.startswith("ms") else megabytes
            points[trial.assignment["layers"], width, precision] = (score, x)
            within = 80 - score <= limit if budget.startswith("points") else x <= limit
            assert trial.within == within, trial
        best = {
            key
            for key, (score, x) in points.items()
            if not any(s >= score and y <= x and (s, y) != (score, x) for s, y in points.values())
        }
        on_front = {tuple(t.assignment.values()) for t in search.trials if t.on_front}
        assert on_front == best and 1 < len(best) < 18
        assert search.recommended is not None
        chosen = points[tuple(search.trials[search.recommended].assignment.values())]
        if budget.startswith("points"):
            assert chosen[1] == min(x for score, x in points.values() if 80 - score <= limit)
        else:
            assert chosen[0] == max(score for score, x in points.values() if x <= limit)


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_fewer_trials_than_assignments_and_the_same_again(bench, tmp_path):
    first = run_recipe(write(bench, trials=7))
    trials = found(first).trials
    assert len(trials) == len({tuple(t.assignment.values()) for t in trials}) == 7
    lines = made()
    again = run_recipe("r.yaml")
    assert made() == lines and all(stage.cached for stage in again.stages)
    assert again.report == first.report
    Path("made").unlink()
    elsewhere = run_recipe("r.yaml", workspace=tmp_path / "other")
    assert found(elsewhere).trials == trials
    Path("made").unlink()
    other = run_recipe("r.yaml", overrides=["seed=4"], workspace=tmp_path / "third")
    assert [t.assignment for t in found(other).trials] != [t.assignment for t in trials]


@pytest.mark.parametrize("after", [1, 6, 9])
@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_a_killed_search_goes_on(bench, tmp_path, after):
    write(bench, trials=7)
    whole = found(run_recipe("r.yaml", workspace=tmp_path / "undisturbed")).trials
    Path("made").unlink()
    Path("kill").write_text(str(after))
    with pytest.raises(KeyboardInterrupt):
        run_recipe("r.yaml")
    Path("kill").unlink()
    lines = made()
    assert len(lines) == after
    Path("made").write_text("\n".join([*lines[:-1], ""]))  # the last one was not finished
    assert found(run_recipe("r.yaml")).trials == whole
    assert made()[: after - 1] == lines[:-1]


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_more_trials_go_on_from_fewer(bench):
    run_recipe(write(bench, trials=18), overrides=["search.trials=2"])
    few = made()
    run_recipe("r.yaml")
    assert made()[: len(few)] == few


@pytest.mark.slow
def test_the_report_has_every_trial_and_the_terminal_names_the_best(bench, capfd):
    write(bench, trials=18)
    assert bench.cli("run", "r.yaml") == 0
    out, _ = capfd.readouterr()
    label = "packed[layers=3,width=400,precision=int8]"
    assert f"recommended:\n{bench.workspace}/runs/small/{label}\n" in out
    sentence = (
        f"Recommended, the best average within 12 MB: {label}, "
        "74.5 (−5.5) zero-shot, 12.0 MB, 6.00 ms."
    )
    assert sentence in out
    folder = next(bench.workspace.glob("stages/report-*"))
    page, text = ((folder / f"report.{kind}").read_text() for kind in ("html", "md"))
    assert sentence in page and '<section id="search">' in page
    assert "## Search" in text
    assert "| 3 | 400 | int8 | 74.5 (−5.5) | 12.0 | 6.00 | 167 | within | on it |" in text
    assert "18 trials made, of 18 assignments and 18 trials allowed." in text
    assert f"{label}: 5.3× smaller and 2.7× faster than teacher" in out  # the headline
    record = read(folder / "report.json")
    labels = [speed.model.label for speed in record.speeds]
    assert labels.count("teacher") == 1 and len(labels) == 19
    run = json.loads((bench.workspace / "runs" / "small" / "run.json").read_text())
    assert run["recommended"] == [label]
    assert (bench.workspace / "runs" / "small" / label / "figures.json").is_file()


@pytest.mark.slow
def test_a_budget_that_nothing_meets(bench, capfd):
    write(bench, budget="MB: 1")
    assert bench.cli("run", "r.yaml") == 0
    out, _ = capfd.readouterr()
    assert (
        "No trial is within 1 MB; the nearest: packed[layers=2,width=200,precision=int8], "
        "52.5 (−27.5) zero-shot, 4.00 MB, 2.00 ms. "
        "Widen the budget, or give the knobs other values."
    ) in out
    assert "recommended:" not in out


@pytest.mark.slow
def test_a_matrix_beside_the_knobs(bench):
    text = RECIPE.replace("search:\n", "matrix: {seed: [1, 2]}\nsearch:\n").replace(
        "{name: student, ", '{name: student, seed: "${seed}", '
    )
    outcome = run_recipe(write(bench, trials=3, text=text))
    for trial in found(outcome).trials:
        layers, width, precision = trial.assignment.values()
        assert len(trial.systems) == 2
        assert trial.difference == pytest.approx(trial.average - 80)
        assert trial.average == pytest.approx(figures(int(layers), int(width), precision)[0])
    assert len(outcome.recommended) in (0, 2)


@pytest.mark.usefixtures("no_charts")
def test_stages_are_made_again_from_one_on(bench):
    run_recipe(write(bench, trials=2))
    before = sorted(made())
    Path("made").unlink()
    outcome = run_recipe("r.yaml", options=RunOptions(from_stage="student"))
    assert sorted(made()) == [line for line in before if not line.startswith("teacher")]
    assert not next(s for s in outcome.stages if s.kind == "report").cached


@pytest.mark.slow
def test_side_by_side_gives_the_same(bench, tmp_path):
    write(bench, trials=7, precision=("[fp32, int8]", "[fp32, int2]"))
    turn = found(run_recipe("r.yaml", workspace=tmp_path / "turn"))
    Path("made").unlink()
    support = str(FAKES.parent / "support")
    path = os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])
    child = bench.start("run", "r.yaml", "--jobs", "2", "--quiet", PYTHONPATH=path)
    said, problems = child.communicate()
    assert child.returncode == 0, problems
    side = read(Path(said.strip()).with_name("report.json")).search
    assert side == turn and any(trial.refused for trial in side.trials)


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_of_very_many_assignments_only_some_are_looked_at_before(bench, capfd, monkeypatch):

    monkeypatch.setattr(feasible, "LOOK_AT", 17)
    write(bench, precision=("[fp32, int8]", "[fp32, int4]"))
    assert bench.cli("check", "r.yaml") == 0
    assert "18 trials of 18 assignments, source" in capfd.readouterr().out
    search = found(run_recipe("r.yaml"))
    refused = [trial.assignment for trial in search.trials if trial.refused]
    assert len(search.trials) == 18 and len(refused) == 3
    assert all(own["layers"] == "3" and own["precision"] == "int4" for own in refused)


def test_cheap_commands(bench, capfd):
    write(bench, trials=5, precision=("[fp32, int8]", "[fp32, int4]"))
    assert bench.cli("check", "r.yaml") == 0
    assert capfd.readouterr().out == (
        "r.yaml: ok, 7 stages, 5 trials of 18 assignments, 3 of which cannot be, source embedded\n"
    )
    assert bench.cli("plan", "r.yaml") == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == (
        "search: 5 trials of 18 assignments, 3 of which cannot be; "
        "below the stages of layers=2, width=200, precision=fp32"
    )
    assert lines[3].split()[:4] == ["teacher", "shrink", "to", "make"]
    assert lines[5].split()[0] == "student[layers=2,width=200]"
    assert len(lines) == 14 and not any("report" in line for line in lines[2:-1])
    assert bench.cli("show", "r.yaml", "--resolved") == 0
    shown = capfd.readouterr().out
    assert "trials: 5" in shown and "MB: 12.0" in shown
    assert "packed[layers=3,width=200,precision=fp32]" in shown
    assert "packed[layers=3,width=200,precision=int4]" not in shown
    overrides = ["--set", "search.trials=2", "--set", "search.knobs.layers=4"]
    assert bench.cli("check", "r.yaml", *overrides) == 0
    assert "2 trials of 6 assignments, source" in capfd.readouterr().out
    whole = "search.knobs={layers: [2, 3], width: [200], precision: [int8]}"
    assert bench.cli("check", "r.yaml", "--set", whole) == 0
    assert "of 2 assignments, source" in capfd.readouterr().out


def test_the_sampler_asks_for_everything_once():
    names = {"a": tuple(map(str, range(12))), "b": ("x", "y", "z")}
    assert knobs.count(names) == 36 == len(list(knobs.grid(names)))
    covered = list(knobs.cover(names))
    assert {c["a"] for c in covered} == set(names["a"]) and {c["b"] for c in covered} == set("xyz")

    def trials(seed: int, most: int) -> list[tuple[str, ...]]:
        sampler = Sampler(names, numeric={"a": True, "b": False}, trials=most, seed=seed)
        asked = []
        while len(asked) < most and (assignment := sampler.ask()) is not None:
            asked.append(tuple(assignment.values()))
            if assignment["b"] == "z":
                sampler.refuse()
            else:
                a = int(assignment["a"])
                sampler.tell(average=a, cost=abs(a - 6.0), over=a - 8.0)
        return asked

    everything = trials(1, 100)
    assert len(everything) == len(set(everything)) == 36
    assert trials(1, 100) == everything != trials(2, 100)


@pytest.mark.usefixtures("no_charts")
def test_trials_at_the_same_time_are_judged_each_by_itself(bench):
    changed = ("candidate: packed", "candidate: packed\n  parallel: 3")
    trials = found(run_recipe(write(bench, trials=5, parallel=changed))).trials
    assert len({tuple(trial.assignment.values()) for trial in trials}) == len(trials) == 5
    for trial in trials:
        layers, width, precision = trial.assignment.values()
        assert trial.average == pytest.approx(figures(int(layers), int(width), precision)[0])
    assert sum(line.startswith("teacher") for line in made()) == 1


def test_the_sampler_finds_more_than_chance():
    values = {"layers": "123456", "width": ("128", "192", "256", "320", "384"), "int8": "01"}
    numeric = {"layers": True, "width": True, "int8": False}

    def judge(assignment: dict[str, str]) -> tuple[float, float]:
        layers, width, int8 = (int(value) for value in assignment.values())
        megabytes = (layers * width**2 * 12 + 60_000 * width) * 4e-6 / (4 if int8 else 1)
        return 60 - 30 / (layers + 1) - 2560 / width - 1.5 * int8, megabytes

    def lost(judged: list[tuple[float, float]]) -> float:
        return best - max((score for score, size in judged if size <= 20), default=best - 20)

    every = [judge(assignment) for assignment in knobs.grid(values)]
    best = max(score for score, size in every if size <= 20)
    searched, drawn = [], []
    for seed in range(8):
        sampler = Sampler(values, numeric=numeric, trials=12, seed=seed)
        judged = []
        for _ in range(12):
            assignment = sampler.ask()
            assert assignment is not None
            judged.append(judge(assignment))
            sampler.tell(average=judged[-1][0], cost=judged[-1][1], over=judged[-1][1] - 20)
        searched.append(lost(judged))
        drawn += [lost(random.Random(100 * seed + i).sample(every, 12)) for i in range(50)]
    assert sum(searched) / len(searched) < 0.6 * sum(drawn) / len(drawn)
