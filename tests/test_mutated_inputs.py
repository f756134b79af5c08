"""Damaged recipes and data files end in rows or a message: a seeded part of the benchmark."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def mutated(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import mutated_inputs  # type: ignore[import-not-found]

    found: ModuleType = mutated_inputs
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        from small_data import small_data  # type: ignore[import-not-found]

        folder = tmp_path_factory.mktemp("data")
        small_data(folder)
        return folder


@pytest.mark.slow
def test_the_small_directory_has_sound_files_of_every_task(mutated: ModuleType, data: Path) -> None:
    from evalsuite.registry import TASKS
    from evalsuite.task import DataSource

    source = DataSource("xtreme", data)
    for task in map(TASKS.get, TASKS.names()):
        split = task.eval_split(source)
        languages = task.available(source, split)
        assert languages, task.name
        for language in languages[-1:]:
            assert mutated.read(task, source, split, language) == ("ok", ""), task.name


@pytest.mark.parametrize("seed", [pytest.param(1), pytest.param(2, marks=pytest.mark.slow)])
def test_data_files(seed: int, mutated: ModuleType, data: Path) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(30 if seed == 1 else 100):
        outcome, said = mutated.data_case(random.Random(f"{seed} {number}"), data)
        assert outcome not in mutated.FAULTS, f"{number}: {said}"
        outcomes[outcome] += 1
    assert outcomes["refused"] > outcomes["ok"] > 0


@pytest.mark.parametrize("seed", [pytest.param(1), pytest.param(2, marks=pytest.mark.slow)])
def test_recipes(seed: int, mutated: ModuleType, data: Path, tmp_path: Path) -> None:
    texts = [path.read_text("utf-8") for path in sorted(mutated.LIBRARY.rglob("*.yaml"))]
    refused = 0
    for number in range(15 if seed == 1 else 100):
        text = mutated.recipe(random.Random(f"{seed} {number}"), texts)
        (tmp_path / "r.yaml").write_text(text, encoding="utf-8", errors="replace")
        outcome, said = mutated.check(tmp_path / "r.yaml", data, tmp_path / "workspace")
        assert outcome not in mutated.FAULTS, f"{number}: {said}"
        refused += outcome == "refused"
    assert refused
