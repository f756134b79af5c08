"""ExecuTorch bundles give what their checkpoints give, in one program for XNNPACK."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from heads import bundle_card, example_of, headed, run_script

from compress.export.export import export
from compress.export.registry import EXPORTERS
from evalsuite.errors import MissingExtraError, ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.runtimes import _extras
from evalsuite.runtimes.executorch import _stacked
from evalsuite.task import DataSource

EMBEDDED = DataSource("embedded")
HEADS = {"pair": "xnli", "tagging": "panx", "span": "xquad", "choice": "xcopa", None: "tatoeba"}
IDS = np.array([[0, 9, 11, 30, 2], [0, 7, 2, 1, 1]], dtype=np.int64)
MASK = (IDS != 1).astype(np.int64)
lowered = pytest.mark.skipif(
    find_spec("executorch") is None, reason="executorch is not installed: lingopress[executorch]"
)


@lowered
@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS, ids=str)
def test_every_head_gives_what_its_checkpoint_gives(
    head: str | None, tiny_base: Path, tmp_path: Path
) -> None:
    checkpoint = headed(tiny_base, head, tmp_path / "checkpoint")
    result, facts = export(
        checkpoint,
        tmp_path / "bundle",
        runtime="executorch",
        precision="fp32",
        probe=Probe(TASKS.get(HEADS[head]), EMBEDDED, 3),
        min_agreement=99.0 if head != "choice" else 75.0,  # two choices may read the same
    )
    assert result is not None and result.scale > 0.1 and result.maximum < 1e-4 * result.scale
    assert facts["agreement %"] == round(result.agreement, 3)


@pytest.fixture(scope="module")
def rounded(tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rounded")
    probe = Probe(TASKS.get("panx"), EMBEDDED, 4)
    result, _ = export(
        tagger, out, runtime="executorch", precision="int8", probe=probe, min_agreement=90.0
    )
    assert result is not None and 0 < result.maximum < 0.2 * result.scale
    return out


@lowered
@pytest.mark.slow
def test_int8_stores_a_byte_per_weight_and_keeps_the_labels(rounded: Path) -> None:
    card = json.loads((rounded / "bundle.json").read_text())
    assert (rounded / "model.pte").stat().st_size < 1.9 * card["parameters"]
    described = open_model(rounded, threads=1).describe("r")
    assert described.precision == "int8"
    assert described.bytes == (rounded / "model.pte").stat().st_size


@lowered
@pytest.mark.slow
def test_rows_of_a_batch_are_run_one_by_one_without_their_padding(
    tagger: Path, rounded: Path
) -> None:
    opened: Any = open_model(rounded, threads=1)
    whole = opened(IDS, MASK, ("logits",))["logits"]
    alone = opened(IDS[1:, :3], MASK[1:, :3], ("logits",))["logits"]
    assert whole.shape == (2, 5, 7) and not whole[1, 3:].any()
    np.testing.assert_array_equal(whole[1, :3], alone[0])  # the company does not matter
    exact = open_model(tagger)(IDS, MASK, ("logits",))["logits"]
    assert np.abs(whole[0] - exact[0]).max() < 0.2 * np.abs(exact[0]).max()
    with pytest.raises(ModelError, match=r"has no output hidden_states\.1; it has logits"):
        opened(IDS, MASK, ("hidden_states.1",))


@lowered
@pytest.mark.slow
def test_the_script_of_the_readme_runs(rounded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Maria" in run_script(rounded, example_of(rounded), monkeypatch)


@lowered
@pytest.mark.slow
def test_a_damaged_program_is_refused(rounded: Path, tmp_path: Path) -> None:
    shutil.copytree(rounded, tmp_path / "copy")
    path = tmp_path / "copy" / "model.pte"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(ModelError, match="does not open in ExecuTorch"):
        open_model(tmp_path / "copy")


def test_its_readme_names_what_runs_it() -> None:
    exporter = EXPORTERS.get("executorch")
    assert "executorch" in exporter.requirements("int8")
    for head in ("pair", "tagging", "span", "choice", None):
        compile(exporter.example(bundle_card(head, "int8", "executorch")), "README.md", "exec")


def test_its_readme_gives_one_choice_at_a_time() -> None:
    script = EXPORTERS.get("executorch").example(bundle_card("choice", "int8", "executorch"))
    shapes: list[tuple[int, ...]] = []

    def execute(row: list[torch.Tensor]) -> list[torch.Tensor]:
        shapes.append(tuple(row[0].shape))
        return [torch.tensor([[float(len(shapes))]])]

    opened = script.index("feeds = {")
    names = {
        "np": np,
        "torch": torch,
        "encoded": [SimpleNamespace(ids=[0, n, 2], attention_mask=[1, 1, 1]) for n in (5, 6)],
        "method": SimpleNamespace(execute=execute),
        "choices": ["Water came.", "It rained."],
    }
    exec(script[opened:], names)
    assert shapes == [(1, 1, 3)] * 2


def test_without_the_extra_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"-c constraints.txt -e '.\[executorch\]'"):
        EXPORTERS.get("executorch").require("int8")


def test_rows_of_tokens_are_filled_and_labels_are_not() -> None:
    rows = [np.ones(2, np.float32), np.ones(3, np.float32)]
    assert _stacked(rows, "start_logits", 4).tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]
    assert _stacked([rows[0], rows[0]], "logits", 4).shape == (2, 2)
    states = [np.ones((2, 5), np.float32), np.ones((1, 5), np.float32)]
    assert _stacked(states, "hidden_states.2", 3).shape == (2, 3, 5)


def test_the_file_of_every_exporter_counts_as_weights() -> None:
    for name in EXPORTERS.names():
        if EXPORTERS.get(name).file.startswith("model"):
            assert model_size.is_weight(Path(EXPORTERS.get(name).file)), name
