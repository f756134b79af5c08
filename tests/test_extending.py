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
Add = Callable[..., None]
Cli = Callable[..., str]


def example(path: str) -> str:
    """The file of that name in docs/extending.md."""
    match = re.search(rf"`{re.escape(path)}`:\n\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert match, f"docs/extending.md has no example {path}"
    return match[1]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """A function that puts an example of the document into a folder of its package."""
    added: list[str] = []

    def write(path: str, *changes: tuple[str, str]) -> None:
        folder, name = path.rsplit("/", 1)
        package = importlib.import_module(folder.replace("/", "."))
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        text = example(path)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (place / name).write_text(text, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(place)])
        added.append(path.removesuffix(".py").replace("/", "."))

    yield write
    for name in added:
        sys.modules.pop(name, None)


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """A function that runs a command, and gives what it printed."""
    from recipes.cli.app import main

    def run(code: int, *arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        shown = capsys.readouterr()
        assert (end.value.code or 0) == code, shown.err
        return shown.out + shown.err

    return run


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


def test_a_family(add: Add, tmp_path: Path) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import ErnieConfig, ErnieForSequenceClassification

    from compress.distill.student import cut
    from evalsuite.bench import flops
    from evalsuite.family_classes import class_name
    from evalsuite.find_family import family_of
    from transfer.methods import lora
    from transfer.models.head_alone import HeadAlone

    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = ErnieConfig(vocab_size=60, intermediate_size=48, attn_implementation="eager", **shape)
    model = ErnieForSequenceClassification(config).eval()
    with pytest.raises(UnknownNameError, match="known: bert, deberta-v2, distilbert"):
        cut(model, [0, 2])
    add("evalsuite/families/ernie.py")
    assert len(cut(model, [0, 2]).ernie.encoder.layer) == 2
    ids = torch.randint(5, 60, (2, 9))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids)
    raw = config.to_dict() | {"architectures": [type(model).__name__]}
    assert flops.operations(flops.encoder(raw), 2, 9) == counter.get_total_flops()
    assert type(model).__name__ == class_name(family_of(model), "pair")
    with torch.no_grad():
        states = model.ernie(ids).last_hidden_state
        torch.testing.assert_close(HeadAlone(model)(states, ids), model(ids).logits)
    adapted = lora.prepare(model, "pair", "fp32")
    assert any("value.lora_A" in name for name, _ in adapted.named_parameters())


def test_a_metric(
    add: Add, weather_data: DataSource, tiny_base: Path, tmp_path: Path, run_cli: Cli
) -> None:
    from quick import options
    from report_fakes import a_run
    from sklearn.metrics import balanced_accuracy_score

    from evalsuite.evaluate import evaluate
    from evalsuite.inference.open_model import open_model
    from evalsuite.report.output.cards import cards
    from evalsuite.report.output.page import write
    from transfer.supervised.train_tasks import train_tasks

    named = ('    title = "Weather"\n', '    title = "Weather"\n    metric = "balanced_accuracy"\n')
    add("evalsuite/tasks/weather.py", named)
    assert "unknown metric 'balanced_accuracy'" in run_cli(2, "ls", "tasks", "weather")
    add("evalsuite/metrics/balanced_accuracy.py")
    task = TASKS.get("weather")
    rows = ["It snows.\tIt is cold.\tyes", "It rains.\tIt is wet.\tyes", "It rains.\tNo.\tno"]
    (tmp_path / "data/weather/test-en.tsv").write_text("\n".join(rows * 5) + "\n")
    quick = options(method="full", max_steps=1, method_options={})
    train_tasks(tiny_base, [task], weather_data, quick, work=tmp_path / "w", out=tmp_path / "o")
    predictor = open_model(tmp_path / "o")
    result = evaluate(predictor, task, weather_data, label="tiny", out=tmp_path / "scores")
    assert result.main_metric == "balanced_accuracy"
    said = (tmp_path / "scores/weather/test-en.tsv").read_text().split()
    gold = ["yes", "yes", "no"] * 5
    right = balanced_accuracy_score(gold, said)
    assert result.metrics["balanced_accuracy"]["en"] == pytest.approx(100 * right)
    assert result.chance["en"] == pytest.approx(50)  # "yes" for every row
    low, high = result.intervals["en"]
    assert 0 <= low <= result.metrics["balanced_accuracy"]["en"] <= high <= 100
    page = write(a_run(result), tmp_path / "page").read_text(encoding="utf-8")
    assert "balanced accuracy" in page
    assert "balanced accuracy (%)" in next(iter(cards(a_run(result)).values()))
    assert "balanced_accuracy   Share of each label's rows" in run_cli(0, "ls", "metrics")
    assert "formats: choice, pair\n" in run_cli(0, "ls", "metrics", "balanced_accuracy")
    assert "metric     balanced accuracy\n" in run_cli(0, "ls", "tasks", "weather")


def test_a_training_method(add: Add, tiny_base: Path, tmp_path: Path) -> None:
    from quick import options
    from safetensors.torch import load_file

    from recipes.stages._shared.method_keys import option_fields
    from transfer.supervised.train_tasks import train_tasks

    add("transfer/methods/norms.py")
    assert "norms" in METHODS.names()
    assert option_fields()["norm_biases"][1].description.startswith("Train the biases")
    quick: Any = options(method="norms", max_steps=2, method_options={"norm_biases": False})
    source = DataSource("embedded")
    train_tasks(
        tiny_base, [TASKS.get("xnli")], source, quick, work=tmp_path / "w", out=tmp_path / "o"
    )
    before = load_file(tiny_base / "model.safetensors")
    after = load_file(tmp_path / "o" / "model.safetensors")
    moved = {name for name in before if name in after and not before[name].equal(after[name])}
    assert moved and all(name.endswith("LayerNorm.weight") for name in moved)


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


def test_a_runtime(
    add: Add, tiny_nli: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json
    import shutil

    import numpy as np

    from evalsuite.evaluate import evaluate
    from evalsuite.evaluation import EvaluationOptions
    from evalsuite.inference.open_model import open_model
    from evalsuite.registry import RUNTIMES

    add("evalsuite/runtimes/lookup.py")
    assert "lookup" in RUNTIMES.names()
    model = tmp_path / "model"
    model.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        shutil.copy(tiny_nli / name, model)
    task = TASKS.get("xnli")
    np.save(model / "lookup.npy", np.tile(np.float32([0, 1, 0]), (3000, 1)))
    (model / "labels.json").write_text(json.dumps(task.labels))
    predictor = open_model(model)
    source = DataSource("embedded")
    options = EvaluationOptions(languages=("de", "sw"))
    result = evaluate(
        predictor, task, source, label="table", out=tmp_path / "scores", options=options
    )
    assert result.model.runtime == "lookup"
    from recipes.cli.app import main

    with pytest.raises(SystemExit) as end:
        main(["ls", "runtimes", "lookup"])
    assert not end.value.code
    assert "opens models; export writes no bundles for it" in capsys.readouterr().out
    rows = {code: task.load(source, "test", code) for code in ("de", "sw")}
    for code, examples in rows.items():
        neutral = [row.label == task.labels[1] for row in examples]  # type: ignore[union-attr]
        assert result.metrics["accuracy"][code] == pytest.approx(100 * np.mean(neutral))


@pytest.fixture
def fresh_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """`export` and its keys are imported again: `runtime` takes the names of the files."""
    for name in ("recipes.stages.export", "recipes.stages._shared.precision_keys"):
        module = importlib.import_module(name)
        monkeypatch.setattr(name, module)
        monkeypatch.setitem(sys.modules, name, module)
        del sys.modules[name]


def test_an_exporter(
    add: Add, fresh_export: None, tiny_nli: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, run_cli: Cli,
) -> None:  # fmt: skip
    import numpy as np

    from evalsuite.inference.open_model import open_model
    from evalsuite.inference.predict_lines import predict_lines
    from evalsuite.machine import model_size

    add("evalsuite/runtimes/lookup.py")
    add("compress/export/runtimes/lookup.py")
    shown = run_cli(0, "ls", "runtimes", "lookup")
    assert "model file: lookup.npy" in shown and "A table of fp32 logits." in shown
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nsource: embedded\nseed: 1\nstages:\n"
        f"  - {{name: table, stage: export, model: {tiny_nli}, runtime: lookup, probe: 4,\n"
        "     min_agreement: 0, probe_task: xnli}\n"
        "  - {name: scores, stage: evaluate, models: [table], tasks: [xnli], max_examples: 4}\n"
    )
    command = ("run", str(recipe), "--workspace", str(tmp_path / "workspace"))
    run_cli(0, *command)
    (made,) = (path.parent for path in (tmp_path / "workspace/stages").glob("*/lookup.npy"))
    table, checkpoint = open_model(made), open_model(tiny_nli)
    alone = np.array([[0, 57, 2]])
    (expected,) = checkpoint(alone, np.ones_like(alone), ("logits",))["logits"]
    assert np.load(made / "lookup.npy")[57] == pytest.approx(expected, abs=1e-5)
    described = table.describe("table")
    assert described.runtime == "lookup" and table.labels == checkpoint.labels
    assert model_size.sizes(made)[0] == (made / "lookup.npy").stat().st_size
    np.save(tmp_path / "lookup.npy", np.zeros((2, 3)))
    assert described.digest != model_size.digest(tmp_path)
    script = (made / "README.md").read_text(encoding="utf-8").split("```python\n")[1]
    monkeypatch.chdir(made)
    printed: list[str] = []
    exec(script.split("```")[0], {"print": printed.append})
    (said,) = predict_lines(made, ["A man is reading.\tNobody reads."])
    assert printed == [said["label"]]
    recipe.write_text(recipe.read_text().replace("min_agreement: 0", "min_agreement: 100"))
    assert "min_agreement asks for 100%" in run_cli(2, *command)
    recipe.write_text(recipe.read_text().replace("runtime: lookup", "runtime: lockup"))
    assert "lookup" in run_cli(2, "check", str(recipe))


def test_a_table_of_the_report(add: Add, tmp_path: Path) -> None:
    from report_fakes import run_of_three_systems

    from evalsuite.report.output.page import write

    run = run_of_three_systems()
    plain = write(run, tmp_path / "before").read_text(encoding="utf-8")
    assert "Rows scored" not in plain
    add("evalsuite/report/tables/rows_scored.py")
    page = write(run, tmp_path / "after").read_text(encoding="utf-8")
    assert "Rows scored" in page
    assert "## Rows scored" in (tmp_path / "after/report.md").read_text(encoding="utf-8")
