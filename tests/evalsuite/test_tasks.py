"""The catalogue of tasks: all of them are found, and their metadata is complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from all_tasks import ALL, INTERMEDIATE, KIND, NO_HUB, TARGET, every
from task_table import table

from evalsuite import languages
from evalsuite.catalog import Catalogue
from evalsuite.errors import UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.scoring import metric_of
from evalsuite.task import Task
from recipes.cli.app import main as cli
from transfer.registry import INTERMEDIATE_TASKS


def test_the_catalogues_are_their_files() -> None:
    assert TASKS.names() == TARGET
    assert INTERMEDIATE_TASKS.names() == INTERMEDIATE
    assert len(ALL) == 24


def test_listing_imports_no_task() -> None:
    code = (
        "import sys; from evalsuite.registry import TASKS; TASKS.names(); "
        "print([m for m in sys.modules if m.startswith('evalsuite.tasks.')"
        " or m in ('torch', 'numpy', 'datasets')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown task 'xnly'; did you mean 'xnli'\?"):
        TASKS.get("xnly")
    with pytest.raises(UnknownNameError, match=r"unknown intermediate task 'mnl'; did you mean"):
        INTERMEDIATE_TASKS.get("mnl")
    with pytest.raises(UnknownNameError):
        TASKS.get("__init__")
    with pytest.raises(ModuleNotFoundError):
        Catalogue("evalsuite.no_such_package", "task").names()


@every
def test_metadata(task: Task) -> None:
    assert task.format in KIND
    assert metric_of(task).name == task.metric
    assert bool(task.labels) == (not task.by_embedding)
    assert list(task.languages) == sorted(set(task.languages))
    assert set(task.languages) <= set(languages.LANGUAGES)
    assert "en" in task.languages or task.name in ("bucc2018", "tatoeba")
    assert (task.hub is None) == (task.name in NO_HUB)
    for hub in (task.hub, *task.hub_beside):
        assert hub is None or re.fullmatch(r"[0-9a-f]{40}", hub.revision)
    assert set(task.eval_splits) <= {"dev", "test"}
    for text in (task.title, task.layout, task.licence, task.citation):
        assert text.strip() == text != ""
    assert task.url.startswith("https://")
    module = sys.modules[type(task).__module__]
    assert module.__name__.endswith(f".{task.name}")
    assert module.__doc__
    assert task.name in module.__doc__.lower().replace("-", "")


def test_languages_of_the_benchmark() -> None:
    counts = {name: len(TASKS.get(name).languages) for name in TARGET}
    assert counts == {
        "xnli": 15,
        "udpos": 38,
        "panx": 48,
        "tatoeba": 41,
        "pawsx": 7,
        "xquad": 12,
        "xcopa": 12,
        "lareqa": 11,
        "mewslix": 11,
        "mlqa": 7,
        "bucc2018": 4,
        "tydiqa": 9,
    }
    seen = set().union(*(TASKS.get(name).languages for name in TARGET))
    assert {"ht", "qu", "wo"} <= {*seen, "ht"} <= set(languages.LANGUAGES)
    assert len({entry.iso3 for entry in languages.LANGUAGES.values()}) == len(languages.LANGUAGES)
    with pytest.raises(UnknownNameError, match="unknown language 'swa'; did you mean 'sw'"):
        languages.get("swa")


def test_the_table_of_tasks_is_the_catalogue() -> None:
    written = (Path(__file__).parents[2] / "docs/tasks.md").read_text(encoding="utf-8")
    assert written == table(), "type: python tests/support/task_table.py > docs/tasks.md"


def test_a_task_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*args: str) -> str:
        with pytest.raises(SystemExit):
            cli(["ls", *args])
        found = capsys.readouterr()
        return found.out + found.err

    text = said("tasks", "squad2")
    assert "squad2/train-v2.0.json" in text and "rajpurkar/squad_v2@3ffb306f725f" in text
    assert "CC BY-SA 4.0" in text and "Rajpurkar et al. 2018" in text
    assert "no copy" in said("tasks", "ccg") and "LDC" in said("tasks", "ccg")
    assert "unknown task 'squad3'; did you mean 'squad'" in said("tasks", "squad3")
    assert "unknown stage 'xnli'" in said("stages", "xnli")
