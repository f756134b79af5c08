"""`cache pull`: what a shared cache has of a recipe's stages comes here, and nothing is made."""

from __future__ import annotations

import pytest
from demo_recipe import RECIPE
from searches import write

from recipes.execution.copy_stages import push_run
from recipes.run import run_recipe
from recipes.search.pull_recipe import pull_recipe


@pytest.fixture
def address(tmp_path) -> str:
    return str(tmp_path / "shared")


def test_push_and_pull_by_hand(lab, address):
    recipe = lab.write(RECIPE)
    run_recipe(recipe, workspace=lab.folder / "one")
    copied = push_run(recipe, lab.folder / "one", address)
    assert (copied.stages, copied.there) == (4, 0)
    assert push_run(recipe, lab.folder / "one", address).there == 4
    pulled = pull_recipe(recipe, ["fused.weight=2"], None, lab.folder / "two", address)
    assert (pulled.stages, pulled.there, pulled.absent) == (1, 0, 3)
    pulled = pull_recipe(recipe, [], None, lab.folder / "two", address)
    assert (pulled.stages, pulled.there, pulled.absent) == (3, 1, 0)
    assert pulled.bytes > 0
    outcome = run_recipe(recipe, workspace=lab.folder / "two")
    assert all(stage.cached for stage in outcome.stages)


@pytest.mark.usefixtures("no_charts")
def test_of_a_search_the_stages_of_every_trial_come(bench, address, capfd):
    some = {
        "layers": ("layers: [2, 3, 4]", "layers: [3, 2]"),
        "width": ("width: [200, 300, 400]", "width: [200]"),
        "precision": ("[fp32, int8]", "[int4, int8]"),
    }
    recipe = write(bench, trials=4, **some)
    assert bench.cli("check", recipe) == 0
    assert "4 assignments, 1 of which cannot be" in capfd.readouterr().out
    outcome = run_recipe(recipe, workspace=bench.folder / "one")
    push_run(recipe, bench.folder / "one", address)
    two = bench.folder / "two"
    assert bench.cli("cache", "pull", recipe, "--cache", address, "--workspace", str(two)) == 0
    made = {stage.path.name for stage in outcome.stages if stage.kind != "report"}
    assert {path.name for path in (two / "stages").iterdir()} == made
    assert capfd.readouterr().out.startswith(f"{len(made)} stages copied, ")
    again = run_recipe(recipe, workspace=two)
    assert [stage.kind for stage in again.stages if not stage.cached] == ["report"]
