"""Parts of measuring that need no model: grid, energy counters, the machine's peak."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from childs import end_by_signal
from pydantic import ValidationError
from report_fakes import a_model, a_speed

from compress.export.registry import EXPORTERS
from evalsuite.bench import energy, grid, peak
from evalsuite.bench.measure import Subject, _in_a_process
from evalsuite.errors import KilledError
from evalsuite.machine.child_process import start
from evalsuite.results.speed import Peak, PeakSample, SpeedResult
from evalsuite.task import DataSource
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.benchmark import Config, run


def test_cells_are_what_the_model_takes() -> None:
    assert grid.shapes((8, 1, 8), (64, 16, 600), 512) == [(1, 16), (8, 16), (1, 64), (8, 64)]
    assert grid.shapes((1,), (), 512) == []


def test_a_grid_of_nothing_is_refused_by_the_stage() -> None:
    plain = {"name": "speed", "stage": "benchmark", "models": ["a"]}
    assert Config.model_validate(plain | {"batch_sizes": [], "lengths": [7]}).lengths == (7,)
    for wrong in ({"batch_sizes": [0]}, {"lengths": [16, -1]}):
        with pytest.raises(ValidationError, match="greater than 0"):
            Config.model_validate(plain | wrong)


def test_a_limit_of_memory_is_a_positive_number_of_megabytes() -> None:
    plain = {"name": "speed", "stage": "benchmark", "models": ["a"]}
    assert Config.model_validate(plain).memory_limit is None
    assert Config.model_validate(plain | {"memory_limit": 64}).memory_limit == 64
    with pytest.raises(ValidationError, match="greater than 0"):
        Config.model_validate(plain | {"memory_limit": 0})


def test_of_two_passes_the_summary_has_the_median_as_the_report_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = a_speed(a_model("a"), 10)
    two = speed.model_copy(update={"throughput": speed.throughput[:2]})  # 10 and 30 a second
    for name, value in {
        "evalsuite.tokenization.load": None,
        "evalsuite.inference.checkpoint_config.model_config": None,
        "evalsuite.inference.checkpoint_config.max_length_of": 9,
        "evalsuite.inference.probe_text.sample_rows": {},
        "evalsuite.bench.measure.measure": [two],
    }.items():
        monkeypatch.setattr(name, lambda *_, _value=value, **__: _value)
    inputs = {"models": (Input("a", tmp_path, Artifact("checkpoint")),)}
    context = StageContext(tmp_path, tmp_path, inputs, DataSource("embedded"), 1, "mine")
    config = Config.model_validate({"name": "speed", "stage": "benchmark", "models": ["a"]})
    assert run(config, context)["a sentences/s"] == 20.0


def test_a_text_has_one_name_for_all_tokenizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(pieces: int, rows: list[str], longest: int) -> list[Any]:
        return [SimpleNamespace(ids=[0, 2])] * (len(rows) + pieces)  # a long row becomes several

    def measure(subjects: list[Subject], **_: object) -> list[SpeedResult]:
        found.extend(subjects)
        return [a_speed(a_model(subject.label), 10) for subject in subjects]

    found: list[Subject] = []
    for name, value in {
        "evalsuite.tokenization.load": lambda path: len(path.name),
        "evalsuite.inference.checkpoint_config.model_config": lambda _: None,
        "evalsuite.inference.checkpoint_config.max_length_of": lambda _: 9,
        "evalsuite.inference.probe_text.sample_rows": lambda *_: {"de": ["a"], "en": ["b", "c"]},
        "evalsuite.formats.pair.encode": encode,
        "evalsuite.bench.measure.measure": measure,
    }.items():
        monkeypatch.setattr(name, value)
    names = ["a", "trimmed"]
    models = tuple(Input(name, tmp_path / name, Artifact("checkpoint")) for name in names)
    context = StageContext(
        tmp_path, tmp_path, {"models": models}, DataSource("embedded"), 1, "mine"
    )
    run(Config.model_validate({"name": "s", "stage": "benchmark", "models": names}), context)
    assert [sum(map(len, subject.sequences.values())) for subject in found] == [5, 17]  # sequences
    assert [subject.rows for subject in found] == [{"de": 1, "en": 2}] * 2
    (text,) = {subject.text for subject in found}
    assert text.startswith("xnli ") and " languages, 3 sentences, rows " in text
    other = {"de": ["a"], "en": ["b", "other"]}
    monkeypatch.setattr("evalsuite.inference.probe_text.sample_rows", lambda *_: other)
    run(Config.model_validate({"name": "s", "stage": "benchmark", "models": names}), context)
    assert found[2].text == found[3].text != text  # of as many rows under the same name
    assert found[2].text.split(", rows ")[0] == text.split(", rows ")[0]


def test_a_cell_is_cut_from_real_sentences_in_order() -> None:
    text = [[0, 5, 2], [0, 6, 7, 8, 2]]
    assert grid.batch(text, 3, 5) == [[0, 5, 2, 0, 6], [7, 8, 2, 0, 5], [2, 0, 6, 7, 8]]


def test_a_measuring_process_that_is_killed_is_no_ones_mistake() -> None:
    said = "the process that measured int8 was killed, most often by the system"
    with pytest.raises(KilledError, match=said):
        _in_a_process(get_context("fork"), end_by_signal, (), "int8")


@pytest.mark.parametrize("error", [EOFError("unexpected EOF"), ConnectionResetError()])
def test_a_process_that_starts_others_may_be_killed(error: Exception) -> None:
    class Dead:
        def Process(self, **arguments: Any) -> Any:
            return self

        def start(self) -> None:
            raise error

    with pytest.raises(KilledError, match="run the same command again; it goes on"):
        start(Dead(), end_by_signal)


def zone(root: Path, number: int, name: str, energy: str = "0", wrap: int = 999) -> Path:
    folder = root / f"intel-rapl:{number}"
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{wrap}\n")
    return folder


def test_energy_is_summed_over_packages_and_wraps(tmp_path: Path) -> None:
    first = zone(tmp_path, 0, "package-0", "100", 999)
    second = zone(tmp_path, 1, "package-1", "900", 999)
    zone(tmp_path, 2, "psys", "5")
    meter = energy.find(tmp_path)
    assert meter is not None
    before = meter.read()
    assert before == (100, 900)
    (first / "energy_uj").write_text("350")
    (second / "energy_uj").write_text("20")  # past 999, from 0 again
    assert meter.joules(before, meter.read()) == pytest.approx((250 + 120) / 1e6)


def test_without_a_counter_that_may_be_read_there_is_no_energy(tmp_path: Path) -> None:
    assert energy.find(tmp_path / "absent") is None
    assert energy.find(tmp_path) is None
    zone(tmp_path, 0, "psys")
    assert energy.find(tmp_path) is None
    (zone(tmp_path, 1, "package-0") / "energy_uj").unlink()
    assert energy.find(tmp_path) is None


@pytest.mark.parametrize("precision", peak.programs())
def test_every_program_multiplies(precision: str) -> None:
    found = peak.measure(precision, 1, sizes=(64, 128))
    assert {(s.program, s.size) for s in found.samples} == {
        (program, size) for program in peak.programs()[precision] for size in (64, 128)
    }
    assert all(sample.seconds > 0 for sample in found.samples)
    assert (found.precision, found.threads) == (precision, 1)


def test_the_peak_is_the_fastest_sample() -> None:
    slow = PeakSample(program="a", size=100, seconds=1.0)
    fast = PeakSample(program="b", size=50, seconds=0.01)
    found = Peak(precision="fp32", threads=1, samples=(slow, fast))
    assert found.best() is fast and found.operations_a_second() == 2 * 50**3 / 0.01


def test_every_precision_of_export_has_a_product_it_is_held_against() -> None:
    for runtime in EXPORTERS.names():
        for precision in EXPORTERS.get(runtime).precisions:
            product = peak.product(runtime, precision)
            assert product in peak.programs(), (runtime, precision)
            if precision in peak.programs() and runtime != "numpy":
                assert product == precision
    assert peak.product("numpy", "int8") == "fp32"  # of the head: rows are not multiplied
    assert peak.product("onnxruntime", "int8-static") == "int8"
    assert peak.product("onnxruntime", "int4-weights") == "int8"
    assert peak.product("openvino", "int4-weights") == "fp32"
    assert peak.product("torch", "nf4") == "bf16"
    assert peak.product("torch", "fp16") is None
    assert peak.product("openvino", "nf4") is None
