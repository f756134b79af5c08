"""A new thing is one new file: each kind added from a temporary folder, as docs/extending.md shows.

Nothing else is edited. A test writes one file into a folder, puts the folder on the path of the
package that holds such files, and uses what is in it.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.registry import METHODS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
Add = Callable[[str], None]


def example(path: str) -> str:
    """The file of that name in docs/extending.md."""
    match = re.search(rf"`{re.escape(path)}`:\n\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert match, f"docs/extending.md has no example {path}"
    return match[1]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """A function that puts an example of the document into a folder of its package."""
    added: list[str] = []

    def write(path: str) -> None:
        folder, name = path.rsplit("/", 1)
        package = importlib.import_module(folder.replace("/", "."))
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(example(path), encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(place)])
        added.append(path.removesuffix(".py").replace("/", "."))

    yield write
    for name in added:
        sys.modules.pop(name, None)


@pytest.fixture
def weather_data(tmp_path: Path) -> DataSource:
    folder = tmp_path / "data/weather"
    folder.mkdir(parents=True)
    (folder / "train-en.tsv").write_text("It rains.\tIt is wet.\tyes\nIt rains.\tIt is dry.\tno\n")
    (folder / "test-en.tsv").write_text("It snows.\tIt is cold.\tyes\n")
    (folder / "test-de.tsv").write_text("Es schneit.\tEs ist heiß.\tno\n")
    return DataSource("xtreme", tmp_path / "data")


def test_a_task_of_a_known_format(
    add: Add, weather_data: DataSource, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnknownNameError):
        TASKS.get("weather")
    add("evalsuite/tasks/weather.py")
    task = TASKS.get("weather")
    assert task.available(weather_data, "test") == ("en", "de")
    (row,) = task.load(weather_data, "test", "de")
    assert row.label == "no"  # type: ignore[union-attr]
    from recipes.cli.app import main

    with pytest.raises(SystemExit) as end:
        main(["ls", "tasks"])
    assert not end.value.code and "weather" in capsys.readouterr().out


def test_a_task_is_trained_and_scored(
    add: Add, weather_data: DataSource, tiny_base: Path, tmp_path: Path
) -> None:
    from quick import options

    from evalsuite.evaluate import evaluate
    from evalsuite.inference.open_model import open_model
    from transfer.supervised.train_tasks import train_tasks

    add("evalsuite/tasks/weather.py")
    task = TASKS.get("weather")
    quick = options(method="full", max_steps=1, method_options={})
    train_tasks(tiny_base, [task], weather_data, quick, work=tmp_path / "w", out=tmp_path / "o")
    predictor = open_model(tmp_path / "o")
    result = evaluate(predictor, task, weather_data, label="tiny", out=tmp_path / "scores")
    assert set(result.metrics["accuracy"]) == {"en", "de"}
    assert set(predictor.labels) == {"yes", "no"}


def test_a_training_method(add: Add, tiny_base: Path, tmp_path: Path) -> None:
    from quick import options
    from safetensors.torch import load_file

    from transfer.supervised.train_tasks import train_tasks

    add("transfer/methods/norms.py")
    assert "norms" in METHODS.names()
    quick: Any = options(method="norms", max_steps=2, method_options={})
    source = DataSource("embedded")
    train_tasks(
        tiny_base, [TASKS.get("xnli")], source, quick, work=tmp_path / "w", out=tmp_path / "o"
    )
    before = load_file(tiny_base / "model.safetensors")
    after = load_file(tmp_path / "o" / "model.safetensors")
    moved = {name for name in before if name in after and not before[name].equal(after[name])}
    assert moved and all("LayerNorm" in name for name in moved)


def test_a_pass(
    add: Add, tiny_nli: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recipes.cli.app import main

    add("recipes/stages/halve.py")
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nsource: embedded\nseed: 1\nstages:\n"
        f"  - {{name: small, stage: halve, model: {tiny_nli}}}\n"
        "  - {name: scores, stage: evaluate, models: [small], tasks: [xnli], max_examples: 4}\n"
    )
    with pytest.raises(SystemExit) as end:
        main(["run", str(recipe), "--workspace", str(tmp_path / "workspace")])
    output = capsys.readouterr()
    assert not end.value.code, output.err
    (made,) = (tmp_path / "workspace/stages").glob("halve-*/model.safetensors")
    assert made.stat().st_size < 0.6 * (tiny_nli / "model.safetensors").stat().st_size
    for arguments, shown in (
        (["ls", "passes"], "halve"),
        (["ls", "stages", "halve"], "Checkpoint to halve."),
        (["schema"], '"stage halve"'),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        assert shown in capsys.readouterr().out
