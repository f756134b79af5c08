"""OpenVINO bundles give what their checkpoints give, in the precision they name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from heads import bundle_card, headed

from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.graph import ExportOptions
from compress.export.registry import EXPORTERS
from evalsuite.errors import MissingExtraError, ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.install_command import how_to_install
from evalsuite.registry import TASKS
from evalsuite.runtimes._openvino import openvino
from evalsuite.runtimes.openvino import OpenVinoPredictor
from evalsuite.task import DataSource, TagExample
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.export import Config, check

EMBEDDED = DataSource("embedded")
HEADS = {"pair": "xnli", "tagging": "panx", "span": "xquad", "choice": "xcopa", None: "tatoeba"}
INT8: tuple[str, ...] = ("int8", "int8-bf16")
HAS_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def bundle(checkpoint: Path, out: Path, precision: str = "fp32") -> OpenVinoPredictor:
    text = Calibration(TASKS.get("xnli"), EMBEDDED, 2)
    export(
        checkpoint,
        out,
        runtime="openvino",
        precision=precision,
        options=ExportOptions(text),
    )
    opened = open_model(out, threads=1)
    assert isinstance(opened, OpenVinoPredictor)
    return opened


@pytest.fixture(scope="module")
def exact(tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenVinoPredictor:
    return bundle(tagger, tmp_path_factory.mktemp("exact"))


@pytest.fixture(scope="module")
def rounded(tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenVinoPredictor:
    return bundle(tagger, tmp_path_factory.mktemp("rounded"), "bf16")


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_every_head_gives_what_its_checkpoint_gives(
    head: str | None, tiny_base: Path, tmp_path: Path
) -> None:
    checkpoint = headed(tiny_base, head, tmp_path / "checkpoint")
    probe = Probe(TASKS.get(HEADS[head]), EMBEDDED, 3)
    result, facts = export(
        checkpoint,
        tmp_path / "bundle",
        runtime="openvino",
        precision="fp32",
        probe=probe,
        min_agreement=99.0 if head != "choice" else 75.0,  # two choices may read the same
    )
    assert result is not None and result.scale > 0.1 and result.maximum < 1e-4 * result.scale
    assert facts["agreement %"] == round(result.agreement, 3)
    one, other = open_model(checkpoint), open_model(tmp_path / "bundle")
    assert other.labels == one.labels and other.describe("b").runtime == "openvino"
    ids = np.array([[0, 9, 11, 30, 2], [0, 7, 2, 1, 1]], dtype=np.int64)
    mask = (ids != 1).astype(np.int64)
    wanted = ("hidden_states.1", *(("logits",) if head else ("hidden_states.2",)))
    ours, theirs = one(ids, mask, wanted), other(ids, mask, wanted)
    for name in wanted:
        assert ours[name].shape == theirs[name].shape
        assert np.abs(ours[name] - theirs[name])[0].max() < 1e-4  # the row without padding
    with pytest.raises(ModelError, match=r"has no output hidden_states\.9; it has "):
        other(ids, mask, ("hidden_states.9",))


def products(compiled: openvino.CompiledModel) -> list[str]:
    """The types that a compiled model's matrix products compute in."""
    notes = [op.get_rt_info() for op in compiled.get_runtime_model().get_ops()]
    return [
        note["runtimePrecision"].value
        for note in notes
        if note["layerType"].value in ("FullyConnected", "MatMul")
    ]


def kernels(predictor: OpenVinoPredictor) -> set[str]:
    (compiled,) = predictor.graph.compiled.values()
    return set(products(compiled))


def test_a_bundle_computes_in_the_precision_it_names(
    tagger: Path, exact: OpenVinoPredictor, rounded: OpenVinoPredictor
) -> None:
    assert exact.precision == "fp32" and kernels(exact) == {"f32"}
    if not HAS_BF16:
        # Some take the weights in f16, as they are stored, between inputs and outputs in f32.
        assert rounded.precision == "fp32" and kernels(rounded) <= {"f32", "f16"}
        pytest.skip("this processor does not compute in bf16, and the bundle says so")
    assert rounded.precision == rounded.describe("r").precision == "bf16"
    assert kernels(rounded) == {"bf16"}
    ids = np.array([[0, 9, 11, 30, 40, 50, 2]], dtype=np.int64)
    arguments = (ids, np.ones_like(ids), ("logits",))
    truth = open_model(tagger)(*arguments)["logits"]
    near, far = (np.abs(m(*arguments)["logits"] - truth).max() for m in (exact, rounded))
    assert near < 1e-4 < far < 0.1 * np.abs(truth).max()
    assert rounded(*arguments)["logits"].dtype == np.float32


def test_between_int8_products_a_bundle_computes_in_the_precision_it_names(
    tagger: Path, tmp_path: Path
) -> None:
    exact, mixed = (bundle(tagger, tmp_path / p, p) for p in INT8)
    assert between(exact) == {"f32"} and exact.precision == "int8"
    ids = np.array([[0, 9, 11, 30, 40, 50, 2]], dtype=np.int64)
    arguments = (ids, np.ones_like(ids), ("logits",))
    truth, near, far = (m(*arguments)["logits"] for m in (open_model(tagger), exact, mixed))
    if not HAS_BF16:
        assert mixed.precision == "int8" and np.array_equal(near, far)
        pytest.skip("this processor does not compute in bf16, and the bundle says so")
    assert between(mixed) == {"bf16"} and mixed.precision == "int8-bf16"
    assert 0 < np.abs(far - near).max() < 0.1 * np.abs(truth).max()
    assert far.dtype == np.float32


def between(predictor: OpenVinoPredictor) -> set[str]:
    """What layer norms compute in."""
    (compiled,) = predictor.graph.compiled.values()
    notes = [op.get_rt_info() for op in compiled.get_runtime_model().get_ops()]
    return {n["runtimePrecision"].value for n in notes if n["layerType"].value == "MVN"}


def test_bf16_takes_half_the_bytes(exact: OpenVinoPredictor, rounded: OpenVinoPredictor) -> None:
    whole, half = (m.directory / "openvino_model.bin" for m in (exact, rounded))
    assert half.stat().st_size == pytest.approx(whole.stat().st_size / 2, rel=0.02)


def test_nothing_is_reported_of_those_who_use_it(exact: OpenVinoPredictor, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from evalsuite.inference.open_model import open_model\n"
        f"open_model(Path({str(exact.directory)!r}))\n"
        "import openvino\nimport nncf\n"
        "sent = [m for m, found in sys.modules.items() if 'openvino_telemetry' in m and found]\n"
        "assert not sent, sent\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"HOME": str(tmp_path)},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert not list(tmp_path.iterdir())


def test_lengths_are_rounded_up_so_that_shapes_are_few(
    exact: OpenVinoPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(exact)
    rows = [TagExample(str(n), ("one",) * n, ("NOUN",) * n) for n in (1, 5, 3, 9)]
    encoded = session.encode("tagging", rows)
    alone = []
    for one in encoded:
        ids = np.array([one.ids], dtype=np.int64)
        alone.append(exact(ids, np.ones_like(ids), ("logits",))["logits"][0])
    assert exact.batching.multiple == 4
    shapes = []
    compute = exact.graph.compute

    def watched(names: tuple[str, ...], feeds: dict[str, Any]) -> list[Any]:
        shapes.append(feeds["input_ids"].shape)
        return compute(names, feeds)

    monkeypatch.setattr(exact.graph, "compute", watched)
    for one, other in zip(session.run(encoded, "logits"), alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert shapes and all(length % 4 == 0 for _, length in shapes)


def test_threads_are_those_asked_for(exact: OpenVinoPredictor) -> None:
    assert exact.threads == 1
    assert open_model(exact.directory, threads=2).threads == 2


def test_what_nobody_asks_for_is_not_computed(exact: OpenVinoPredictor) -> None:
    fresh = open_model(exact.directory, threads=1)
    assert isinstance(fresh, OpenVinoPredictor)
    assert list(fresh.graph.compiled) == [("logits",)]
    ids = np.array([[0, 9, 2]], dtype=np.int64)
    fresh(ids, np.ones_like(ids), ("hidden_states.1",))
    whole, part = (len(products(compiled)) for compiled in fresh.graph.compiled.values())
    assert whole == 2 * part + 1  # one layer of two, and no head


def test_a_bundle_holds_no_path_of_this_machine(exact: OpenVinoPredictor) -> None:
    needle = str(Path(__file__).resolve().parents[2]).encode()
    for path in exact.directory.iterdir():
        assert needle not in path.read_bytes(), path.name


_BLOCK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "onnxruntime", "evalsuite"):
            raise ImportError(name + " is not to be used")
sys.meta_path.insert(0, Refuse())
"""


@pytest.mark.parametrize(
    ("head", "line", "precision"),
    [
        ("pair", "A man is reading.\tNobody reads.", "int8"),
        ("span", "Where does Maria live?\tMaria lives in Berlin.", "fp32"),
        ("choice", "The man turned on the tap.\tWater came.\tIt rained.", "int8"),
    ],
)
def test_the_cards_example_runs_without_torch_and_agrees(
    head: str, line: str, precision: str, tiny_base: Path, tmp_path: Path
) -> None:
    opened = bundle(headed(tiny_base, head, tmp_path / "c"), tmp_path / "b", precision)
    text = (opened.directory / "README.md").read_text(encoding="utf-8")
    script = text.split("```python\n")[1].split("```")[0]
    child = subprocess.run(
        [sys.executable, "-c", _BLOCK + script],
        cwd=opened.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    (said,) = predict_lines(opened.directory, [line])
    expected = {
        "pair": lambda: said["label"],
        "span": lambda: said["answer"],
        "choice": lambda: line.split("\t")[1 + said["choice"]],
    }[head]()
    assert child.stdout.startswith(expected) and expected


def test_the_examples_of_taggers_and_encoders_name_their_precision() -> None:
    for head, output in (("tagging", "logits"), (None, "hidden_states.2")):
        script = EXPORTERS.get("openvino").example(bundle_card(head, "bf16", "openvino"))
        compile(script, "example", "exec")
        assert f'model(feeds)["{output}"]' in script and "onnx" not in script
        assert '{"INFERENCE_PRECISION_HINT": "bf16"}' in script


def test_a_broken_graph_is_named(exact: OpenVinoPredictor, tmp_path: Path) -> None:
    card = json.loads((exact.directory / "bundle.json").read_text()) | {"bytes": {}}
    (tmp_path / "bundle.json").write_text(json.dumps(card))
    (tmp_path / card["file"]).write_text("<net>")
    with pytest.raises(ModelError, match="does not open in OpenVINO"):
        open_model(tmp_path)
    (tmp_path / "bundle.json").write_text("{}")
    (tmp_path / "openvino_model.bin").touch()  # no pickle
    with pytest.raises(ModelError, match="does not hold what it should: runtime: Field required"):
        open_model(tmp_path)
    (tmp_path / "bundle.json").write_text(json.dumps(card | {"precision": "int2"}))
    with pytest.raises(ModelError, match="not a bundle for OpenVINO in fp32 or bf16 or int8"):
        open_model(tmp_path)


def config(**keys: str) -> Config:
    return Config.model_validate({"name": "e", "stage": "export", "model": "./m"} | keys)


INPUTS = {"model": (Artifact("checkpoint", external=True),)}


def test_precisions_a_runtime_has_not_are_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evalsuite.runtimes._extras.find_spec", lambda name: True)
    for runtime in EXPORTERS.names():
        for precision in EXPORTERS.get(runtime).precisions:
            assert check(config(runtime=runtime, precision=precision), INPUTS).runtime == runtime
    with pytest.raises(
        StageInputError,
        match="precision: openvino has no int8-static, only fp32, bf16, int8, int8-bf16, "
        "int8-weights, int4-weights; for int8-static set runtime: onnxruntime",
    ):
        check(config(runtime="openvino", precision="int8-static"), INPUTS)
    with pytest.raises(StageInputError, match="-weights; for bf16 set runtime: openvino or torch"):
        check(config(precision="bf16"), INPUTS)


def test_without_openvino_one_is_told_what_to_type(
    exact: OpenVinoPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalsuite.runtimes._extras.find_spec", lambda name: None)
    said = re.escape(f"openvino is not installed; {how_to_install('openvino')}")
    with pytest.raises(StageInputError, match=f"runtime: {said}"):
        check(config(runtime="openvino"), INPUTS)
    with pytest.raises(MissingExtraError, match=said):
        open_model(exact.directory)
