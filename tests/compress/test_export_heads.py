"""Bundles of every kind of head, of any stored precision: what they say, and what their cards run.

The scripts of the cards are run on text that leaves a word without tokens.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import small
from heads import example_of, run_script

from compress.errors import ExportError
from compress.export import export as exporting
from compress.export.export import export
from compress.export.trace import Traced
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.retrieval.sentence_embedder import SentenceEmbedder
from evalsuite.task import DataSource, TagExample
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import SentenceVectors

pytestmark = pytest.mark.usefixtures("traces")

LINE = ("A man is reading.", "Nobody reads.")
SEVERAL = "multi_label_classification"
PANX = TASKS.get("panx").labels
HEADS: dict[str, dict[str, Any]] = {
    "score": {"labels": ("relevance",), "dtype": torch.bfloat16, "layers": 1},
    "labels": {
        "labels": ("toxic", "insult"),
        "problem_type": SEVERAL,
        "dtype": torch.float16,
        "layers": 1,
    },
    "unnamed label": {"labels": None, "num_labels": 2, "dtype": torch.bfloat16, "layers": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_a_bundle_says_what_its_checkpoint_says(
    head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small(tmp_path / "model", **HEADS[head])
    probe = Probe(TASKS.get("xnli"), DataSource("embedded"), 2)
    parity, _ = export(model, tmp_path / "out", precision="fp32", probe=probe)
    assert parity is not None and parity.agreement > 90
    (one,), (other,) = (
        list(predict_lines(path, ["\t".join(LINE)])) for path in (model, tmp_path / "out")
    )
    assert one.keys() == other.keys()
    assert [one.get(key) for key in ("label", "labels")] == [
        other.get(key) for key in ("label", "labels")
    ]
    assert other.get("scores", other.get("score")) == pytest.approx(
        one.get("scores", one.get("score")), abs=0.02
    )
    printed = run_script(tmp_path / "out", example_of(tmp_path / "out"), monkeypatch)
    card = json.loads((tmp_path / "out" / "bundle.json").read_text())
    assert card.get("answers", "label") == head.split()[-1] and len(card["labels"]) > 0
    if head == "score":
        assert float(printed.split()[1].rstrip("}")) == pytest.approx(other["score"], abs=1e-4)
    else:
        assert printed.startswith(str(other["labels" if head == "labels" else "label"]))


@pytest.mark.slow
def test_a_taggers_example_keeps_each_tag_with_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of some words the tokenizer leaves nothing; they get the tag of a word that is no name."""
    model = small(tmp_path / "model", "tagging", sorted(PANX), layers=1)
    export(model, tmp_path / "out", precision="fp32")
    session = Session(open_model(tmp_path / "out"))
    script = example_of(tmp_path / "out")
    before = 'lines = [["Maria", "lives", "in", "Berlin"]]'
    assert before in script
    for odd in (["\u00a0"], ["\u0010", "\u00a0"], ["\u00a0", "\u0085", "\u00ad"]):
        words = ["Maria", *odd, "lives", "in", "Berlin", odd[0]]
        (tags,) = session.predict("tagging", [TagExample("0", tuple(words), ())])
        asked = script.replace(before, f"lines = {[words]!r}")
        printed = run_script(tmp_path / "out", asked, monkeypatch)
        assert printed.strip() == str(list(zip(words, tags, strict=True)))
        for word, tag in zip(words, tags, strict=True):
            assert tag == "O" or word != "\u00a0"
    assert len(set(tags)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_an_encoders_example_gives_the_vectors_that_it_declares(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the prefix, of the first token, and as long as vectors are compared."""
    model = small(tmp_path / "model", None, layers=1)
    declare_vectors(SentenceVectors("cls", "query: ", "passage: "), model, model)
    precision = "fp32" if runtime == "onnxruntime" else "bf16"
    export(model, tmp_path / "out", runtime=runtime, precision=precision)
    script = example_of(tmp_path / "out")
    assert '"query: A man is reading."' in script
    printed = run_script(tmp_path / "out", script, monkeypatch)
    numbers = re.findall(r"-?\d+\.\d*(?:e-?\d+)?", printed)
    found = [float(number) for number in numbers]
    (wanted,) = SentenceEmbedder(tmp_path / "out")(["A man is reading."])
    assert found == pytest.approx(list(wanted), abs=0.01)


@pytest.mark.slow
def test_a_bundle_that_does_not_run_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a probe, too."""

    def broken(traced: Traced, program: Any, out: Path) -> str:
        (out / "model.onnx").write_bytes(b"half a graph")
        return "model.onnx"

    monkeypatch.setattr(Traced, "save", broken)
    with pytest.raises(ExportError, match="the bundle does not run: "):
        exporting.export(
            small(tmp_path / "model", **HEADS["labels"]), tmp_path / "out", precision="fp32"
        )
    assert not (tmp_path / "out" / "SHA256SUMS").exists()
