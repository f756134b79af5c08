"""Components from elsewhere: an installed package's, and those of a file named with --plugin."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite import plugins
from evalsuite.errors import PluginError
from evalsuite.inference.open_model import open_model
from evalsuite.machine.child_process import start, start_context
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import declare
from evalsuite.own.own_task import OwnTask
from evalsuite.registry import METRICS, TASKS
from evalsuite.task import DataSource
from recipes.planning.data_digests import digest_need
from recipes.planning.plan import _named_plugins
from recipes.planning.planned import Planned
from recipes.stages._shared.contract import Artifact, DataNeed, StageConfig

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
Cli = Callable[..., str]
RECIPE = """
name: demo
source: xtreme
stages:
  - {name: scores, stage: evaluate, models: [./base], tasks: [weather]}
"""


def example(name: str) -> str:
    """A file that docs/extending.md writes out."""
    found = re.search(rf"`{re.escape(name)}`:\n\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    return found[1]


class Keys(StageConfig):
    """Of a stage that trains and exports."""

    method: str = "full"
    runtime: str = "torch"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plugins of a test are not those of the next."""
    monkeypatch.setattr(plugins, "_loaded", {})
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("lingopress_plugins", "my_package")):
            del sys.modules[name]
    plugins._offered.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with a task, as pip leaves it: modules and a dist-info folder."""
    site = tmp_path / "site"
    (site / "my_package").mkdir(parents=True)
    (site / "my_package" / "__init__.py").write_text("")
    (site / "my_package" / "weather.py").write_text(example("evalsuite/tasks/weather.py"))
    info = site / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lingopress.tasks]\nweather = my_package.weather\n")
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "weather"
    folder.mkdir(parents=True)
    (folder / "train-en.tsv").write_text("It rains.\tIt is wet.\tyes\nIt rains.\tIt is dry.\tno\n")
    (folder / "test-en.tsv").write_text("It snows.\tIt is cold.\tyes\n")
    (folder / "test-de.tsv").write_text("Es schneit.\tEs ist heiß.\tno\n")
    return folder.parent


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    from recipes.cli.app import main

    def run(code: int, *arguments: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        shown = capsys.readouterr()
        assert (end.value.code or 0) == code, shown.err
        return shown.out + shown.err

    return run


def test_a_task_of_an_installed_package_is_listed_and_not_imported(package: Path, cli: Cli) -> None:
    assert re.search("^weather +Does the second sentence follow", cli(0, "ls", "tasks"), re.M)
    assert "my_package.weather" not in sys.modules
    assert "weather (Weather)" in cli(0, "ls", "tasks", "weather")


def test_a_plugins_task_runs(package: Path, data: Path, cli: Cli, tmp_path: Path) -> None:
    from checkpoints import small

    recipe = tmp_path / "r.yaml"
    small(tmp_path / "base", labels=("yes", "no"))
    recipe.write_text(RECIPE.replace("./base", str(tmp_path / "base")))
    given = ("--data-dir", str(data), "--workspace", str(tmp_path / "space"))
    cli(0, "run", str(recipe), *given, "--until", "scores", "--quiet")
    (scores,) = (tmp_path / "space" / "stages").glob("evaluate-*/*.weather.json")
    assert '"de"' in scores.read_text()


def test_a_file_named_with_plugin(data: Path, cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "weather.py"
    file.write_text(example("evalsuite/tasks/weather.py"))
    assert "unknown task 'weather'" in cli(2, "ls", "tasks", "weather")
    assert "weather" in cli(0, "ls", "tasks", "--plugin", str(file))
    assert TASKS.get("weather").labels == ("yes", "no")
    metric = tmp_path / "balanced_accuracy.py"
    metric.write_text(example("evalsuite/metrics/balanced_accuracy.py"))
    cli(0, "ls", "metrics", "--plugin", str(metric))
    assert "balanced_accuracy" in METRICS.names() and "balanced_accuracy" not in TASKS.names()


def test_the_file_is_part_of_the_key(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "weather.py"
    file.write_text(example("evalsuite/tasks/weather.py"))
    plugins.load(file)
    need, source = DataNeed("weather", "train", ("en",)), DataSource("xtreme", data)
    before = digest_need(need, source)
    file.write_text(file.read_text() + "\n")
    assert digest_need(need, source) != before
    assert "plugin" not in digest_need(DataNeed("xnli", "dev"), DataSource("embedded"))


def test_the_file_of_a_method_and_of_a_runtime_is_part_of_the_key(tmp_path: Path) -> None:
    for name, content in (("norms", "GIVES = prepare = None\n"), ("boards", "EXPORTER = 1\n")):
        (tmp_path / f"{name}.py").write_text(content)
        plugins.load(tmp_path / f"{name}.py")
    stage = Planned("a", "a", "train", "", Keys(name="a", stage="train"), {}, 1, Artifact("report"))
    for key, name in (("method", "norms"), ("runtime", "boards")):
        named = replace(stage, config=Keys.model_validate({**vars(stage.config), key: name}))
        assert _named_plugins(named) == [tmp_path / f"{name}.py"]
    own = replace(stage, config=Keys(name="a", stage="train", method="lora", runtime="openvino"))
    assert _named_plugins(own) == _named_plugins(stage) == []


def test_the_file_of_a_metric_is_part_of_the_key(data: Path, tmp_path: Path) -> None:
    metric = tmp_path / "balanced_accuracy.py"
    metric.write_text(example("evalsuite/metrics/balanced_accuracy.py"))
    plugins.load(metric)
    columns = {"first": 1, "second": 2, "label": 3}
    test = {"en": str(data / "weather/test-en.tsv")}
    task = OwnTask(
        "mine",
        Declaration(
            format="pair", test=test, columns=columns, labels=["yes", "no"],
            metric="balanced_accuracy",
        ),
    )  # fmt: skip
    need, source = DataNeed("mine", "eval"), DataSource("files")
    declare({"mine": task})
    try:
        before = digest_need(need, source)
        metric.write_text(metric.read_text() + "\n")
        assert digest_need(need, source) != before
    finally:
        declare({})


def told(connection: object) -> None:
    """In a child: which tasks it knows."""
    connection.send(TASKS.get("weather").title)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_other_processes_have_the_same_plugins(tmp_path: Path) -> None:
    file = tmp_path / "weather.py"
    file.write_text(example("evalsuite/tasks/weather.py"))
    plugins.load(file)
    context = start_context([])
    ours, theirs = context.Pipe()
    process = start(context, told, theirs)
    assert ours.recv() == "Weather"
    process.join()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("absent.txt", None, "is no Python file"),
        ("my-task.py", "", "give the file another name"),
        ("broken.py", "x = (", "SyntaxError: "),
        ("raises.py", "1 / 0", "ZeroDivisionError: division by zero"),
        ("xnli.py", "TASK = 1", "--plugin has a task called 'xnli', as lingopress has"),
        ("named.py", "class T: name = 'other'\nTASK = T()", "is called 'other' there, and 'named'"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_one_message(
    name: str, text: str | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(PluginError) as error:
        plugins.load(file)
        assert file.stem in TASKS.names()
        TASKS.get(file.stem)
    assert says in str(error.value)


def test_an_installed_plugin_that_is_no_task_is_one_message(package: Path, cli: Cli) -> None:
    weather = package / "my_package" / "weather.py"
    weather.write_text("x = 1\n")
    assert "error: my_package.weather is no task: it has no TASK\n" in cli(
        2, "ls", "tasks", "weather"
    )
    weather.write_text("import no_such_module\n")
    del sys.modules["my_package.weather"]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in cli(
        2, "ls", "tasks", "weather"
    )


def test_code_next_to_a_model_or_in_the_current_folder_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    from checkpoints import small

    model = small(tmp_path / "model")
    (model / "weather.py").write_text("raise SystemExit('loaded')")
    info = model / "x-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[lingopress.tasks]\nweather = weather\n")
    monkeypatch.chdir(model)
    assert open_model(model).labels
    assert "weather" not in cli(0, "ls", "tasks")
