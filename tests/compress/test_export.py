"""Fuse, distil, export: what each keeps, and what stops it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from heads import bundle_card
from quick import distillation, options
from tiny_families import tiny_config

from compress.distill.distill import distill
from compress.distill.losses import hidden_loss, logits_loss
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.errors import FuseError, GateError, StudentError
from compress.export import bundle
from compress.export import export as exporting
from compress.export.registry import EXPORTERS
from compress.export.trace import Traced, sample_ids
from compress.fuse.fuse import fuse
from evalsuite.agreement import outputs
from evalsuite.errors import ModelError
from evalsuite.inference.batch_runner import run
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe, sample
from evalsuite.inference.session import Session
from evalsuite.machine import environment, model_size
from evalsuite.registry import TASKS
from evalsuite.runtimes.onnxruntime import OnnxPredictor
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from transfer.models.checkpoints import copy_tokenizer
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


def test_fusing_onto_the_dequantized_base_keeps_the_function(
    tiny_adapter: Path, tmp_path: Path
) -> None:
    fused = fuse(
        tiny_adapter,
        TASKS.get("xnli"),
        tmp_path / "out",
        probe=Probe(TASKS.get("xnli"), EMBEDDED, 8),
    )
    assert fused.precision == "nf4"
    near, far = fused.drift["dequantized"], fused.drift["original"]
    assert near.maximum < 0.01 * near.scale  # the 4-bit kernel itself rounds
    assert far.maximum > 5 * near.maximum  # the original weights are another function
    assert near.agreement == 100.0
    model = load_checkpoint(tmp_path / "out")
    assert not hasattr(model.config, "quantization_config")
    assert model.dtype == torch.float32


def test_fusing_a_checkpoint_says_to_leave_the_stage_out(tiny_nli: Path, tmp_path: Path) -> None:
    with pytest.raises(FuseError, match="leave its fuse stage out"):
        fuse(tiny_nli, TASKS.get("xnli"), tmp_path / "out")


def test_layers_are_spread_and_end_with_the_last() -> None:
    assert choose_layers(6, 12) == [1, 3, 5, 7, 9, 11]
    assert choose_layers(12, 12) == list(range(12))
    assert choose_layers((0, 4), 6) == [0, 4]
    for wanted in (0, 13, (3, 1), (0, 12), (2, 2), ()):
        with pytest.raises(StudentError, match="layers"):
            choose_layers(wanted, 12)


def test_a_cut_of_all_layers_is_the_teacher(tiny_nli: Path) -> None:
    teacher = load_checkpoint(tiny_nli)
    ids = torch.randint(5, 100, (2, 9))
    with torch.inference_mode():
        same = cut(teacher, [0, 1]).eval()(input_ids=ids).logits
        half = cut(teacher, [1]).eval()
        assert torch.allclose(teacher(input_ids=ids).logits, same)
        assert half.config.num_hidden_layers == 1
        assert not torch.allclose(half(input_ids=ids).logits, same)
    assert torch.equal(
        half.roberta.encoder.layer[0].output.dense.weight,
        teacher.roberta.encoder.layer[1].output.dense.weight,
    )


def test_objectives_are_zero_at_equality_and_ignore_padding() -> None:
    logits = torch.randn(3, 5)
    ones = torch.ones(3)
    assert logits_loss(logits, logits, ones, 2.0).abs() < 1e-6
    other = logits.clone()
    other[2] += torch.randn(5)
    assert logits_loss(other, logits, ones, 2.0) > 0
    assert logits_loss(other, logits, torch.tensor([1.0, 1, 0]), 2.0).abs() < 1e-6
    states = [torch.randn(2, 4, 8) for _ in range(4)]
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    own = [states[0].clone(), states[2].clone()]
    assert hidden_loss(own, states, [1], mask).abs() < 1e-6
    own[1][0, 3] += 9  # padding
    assert hidden_loss(own, states, [1], mask).abs() < 1e-6
    own[1][0, 0] += 9
    assert hidden_loss(own, states, [1], mask) > 0.1


@pytest.fixture
def teacher_dir(tiny_nli: Path, tmp_path: Path) -> Path:
    """A teacher with larger weights: the barely trained one says nearly the same to all input,
    so that its lower layer alone would do as well."""
    teacher = load_checkpoint(tiny_nli)
    with torch.no_grad():
        for weight in teacher.roberta.encoder.layer.parameters():
            weight.mul_(3 if weight.dim() == 2 else 1)
        teacher.classifier.out_proj.weight.mul_(30)
    teacher.save_pretrained(tmp_path / "teacher")
    copy_tokenizer(tiny_nli, tmp_path / "teacher")
    return tmp_path / "teacher"


def logits(session: Session, probe: dict[str, Any]) -> np.ndarray:
    parts = [np.stack(run(session.predictor, rows, "logits", 1)) for rows in probe.values()]
    return np.concatenate(parts)


@pytest.fixture
def centred(teacher_dir: Path) -> Path:
    """The same teacher, that does not say one label to all."""
    session = Session(open_model(teacher_dir))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 8)
    teacher = load_checkpoint(teacher_dir)
    teacher.classifier.out_proj.bias.data -= torch.from_numpy(logits(session, probe).mean(0))
    teacher.save_pretrained(teacher_dir)
    return teacher_dir


def test_a_distilled_student_comes_nearer_to_its_teacher(centred: Path, tmp_path: Path) -> None:
    """By what the loss compares: probabilities at its temperature."""
    options = distillation(hidden=1.0, multilingual=0.5, max_steps=25, max_length=48, max_pairs=20)
    work, out = tmp_path / "work", tmp_path / "out"
    _, facts = distill(centred, [TASKS.get("xnli")], EMBEDDED, options, work=work, out=out)
    assert facts["layers"] == "1 of 2"
    cut(load_checkpoint(centred), [1]).save_pretrained(tmp_path / "start")
    copy_tokenizer(centred, tmp_path / "start")
    session = Session(open_model(centred))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 8)

    def log_probabilities(directory: Path) -> torch.Tensor:
        found = torch.from_numpy(logits(Session(open_model(directory)), probe))
        return (found / options.temperature).log_softmax(-1)

    def divergence(student: Path) -> float:
        said, wanted = log_probabilities(student), log_probabilities(centred)
        return float(
            torch.nn.functional.kl_div(said, wanted, reduction="batchmean", log_target=True)
        )

    assert divergence(out) < divergence(tmp_path / "start") / 5  # 6 to 65 times nearer


def test_a_bundle_predicts_what_its_checkpoint_predicts(centred: Path, tmp_path: Path) -> None:
    """On a processor whose int8 sums overflow, too, where a third of the labels would be left."""
    session = Session(open_model(centred))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 8)
    counts = np.bincount(logits(session, probe).argmax(-1), minlength=3)
    assert counts.max() < 0.8 * counts.sum()
    exporting.export(centred, tmp_path / "bundle", precision="int8")
    result = outputs.compare(session, open_model(tmp_path / "bundle"), probe)
    assert result.agreement > 60
    assert result.mean < 0.1 * result.scale


def test_a_bundles_hidden_states_are_its_checkpoints(tiny_nli: Path, tiny_bundle: Path) -> None:
    first, second = open_model(tiny_nli), open_model(tiny_bundle)
    hidden = f"hidden_states.{first.layers - 1}"  # of the last layer: test_first_token.py
    ids = np.array([[0, 9, 11, 2]], dtype=np.int64)
    states = [m(ids, np.ones_like(ids), (hidden,))[hidden] for m in (first, second)]
    assert states[0].shape == states[1].shape
    assert np.abs(states[0] - states[1]).max() < 0.3


@pytest.mark.parametrize("flags", [{"avx2"}, {"avx2", "avx512_vnni"}, {"avx2", "avx_vnni"}])
def test_sums_of_int8_are_held_exactly_without_vnni(
    flags: set[str], tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_cpu", lambda: ("a CPU", flags))
    opened = open_model(tiny_bundle)
    assert isinstance(opened, OnnxPredictor)
    asked = opened.session.get_session_options()
    precise = asked.get_session_config_entry("session.x64quantprecision")
    assert precise == ("1" if flags == {"avx2"} else "0")


def test_a_bundle_holds_no_path_of_this_machine(tiny_bundle: Path) -> None:
    needle = str(Path(__file__).resolve().parents[2]).encode()
    for path in tiny_bundle.iterdir():
        assert needle not in path.read_bytes(), path.name


_BLOCK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "evalsuite"):
            raise ImportError(name + " is not to be used")
sys.meta_path.insert(0, Refuse())
"""


def test_the_cards_example_runs_without_torch_and_agrees(tiny_bundle: Path) -> None:
    from evalsuite.inference.predict_lines import predict_lines

    text = (tiny_bundle / "README.md").read_text(encoding="utf-8")
    script = text.split("```python\n")[1].split("```")[0]
    assert len(script.splitlines()) <= 30
    child = subprocess.run(
        [sys.executable, "-c", _BLOCK + script],
        cwd=tiny_bundle,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    (expected,) = predict_lines(tiny_bundle, ["A man is reading.\tNobody reads."])
    assert child.stdout.split()[0] == expected["label"]


def test_examples_of_taggers_and_encoders_are_python() -> None:
    example = EXPORTERS.get("onnxruntime").example
    for head, part in (
        ("tagging", "is_pretokenized"),
        ("span", "sequence_ids"),
        ("choice", "dtype=np.int64)[None]"),
        (None, "hidden_states.2"),
    ):
        script = example(bundle_card(head, "fp32"))
        compile(script, str(head), "exec")
        assert part in script


def test_a_short_model_is_traced_with_as_many_tokens_as_it_takes() -> None:
    for positions, tokens in ((9, 9), (40, 16)):
        model = SimpleNamespace(config=tiny_config("bert", max_position_embeddings=positions))
        assert sample_ids(model, 2).shape == (2, tokens)


def test_a_failed_gate_fails_the_export(
    tiny_nli: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(traced: Traced, program: Any, out: Path) -> str:
        """A graph of the right shape whose weights are another model's."""
        for name in ("model.onnx", "model.onnx.data"):
            data = bytearray((tiny_bundle / name).read_bytes())
            if name.endswith(".data"):
                data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
            (out / name).write_bytes(data)
        return "model.onnx"

    monkeypatch.setattr(Traced, "save", broken)
    with pytest.raises(GateError, match="min_agreement asks for 100%"):
        exporting.export(
            tiny_nli,
            tmp_path / "out",
            precision="int8",
            probe=Probe(TASKS.get("xnli"), EMBEDDED, 8),
            min_agreement=100.0,
        )


def test_a_bundle_lists_its_files_and_is_held_to_them(tiny_bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle, copy)
    listed = [line.split("  ") for line in (copy / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in listed} == {p.name for p in copy.iterdir()} - {"SHA256SUMS"}
    for digest, name in listed:
        assert hashlib.sha256((copy / name).read_bytes()).hexdigest() == digest, name
    if program := shutil.which("sha256sum"):
        subprocess.run([program, "--check", "--quiet", "SHA256SUMS"], cwd=copy, check=True)
    data = copy / "model.onnx.data"
    size = data.stat().st_size
    data.write_bytes(data.read_bytes()[:1000])
    said = rf"incomplete: model\.onnx\.data has 1,000 bytes, its card says {size:,} bytes\ncopy it"
    with pytest.raises(ModelError, match=said):
        open_model(copy)
    data.unlink()
    with pytest.raises(ModelError, match=r"model\.onnx\.data is missing"):
        open_model(copy)


def test_a_bundles_card_has_its_languages_its_origin_and_its_licence(
    tiny_nli: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(tiny_nli, checkpoint)
    result, _ = exporting.export(
        checkpoint,
        tmp_path / "one",
        precision="int8",
        probe=Probe(TASKS.get("xnli"), EMBEDDED, 4),
        lineage=["train (xnli, lora, nf4) of FacebookAI/xlm-roberta-base", "fuse"],
    )
    assert result is not None
    text = (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    front = text.split("---\n")[1]
    assert f"language: [{', '.join(sorted(result.by_language))}]\n" in front
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert rows == [f"| {code} | {of:.2f} |" for code, of in sorted(result.by_language.items())]
    assert "- train (xnli, lora, nf4) of FacebookAI/xlm-roberta-base\n- fuse\n- weights sha" in text
    assert model_size.digest(checkpoint) in text
    assert "licen" not in text.lower()
    (checkpoint / "README.md").write_text("---\nlicense: mit\ntags: [x]\n---\n# Mine\n")
    assert bundle.licence_of(checkpoint) == "mit"
    exporting.export(checkpoint, tmp_path / "two", precision="int8")
    text = (tmp_path / "two" / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\nlicense: mit\n") and "- licence of the checkpoint: mit\n" in text
    assert "| language |" not in text


def test_fusing_rounds_embeddings_the_adapter_saw_rounded(tiny_base: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    quick = options(embeddings="bf16")
    train_tasks(tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=tmp_path / "work", out=out)
    fused = fuse(
        out, TASKS.get("xnli"), tmp_path / "fused", probe=Probe(TASKS.get("xnli"), EMBEDDED, 4)
    )
    assert fused.drift["dequantized"].maximum < 1e-5
    table = load_checkpoint(tmp_path / "fused").get_input_embeddings().weight
    assert torch.equal(table, table.to(torch.bfloat16).float())


def test_bundle_card_names_its_parts(tiny_bundle: Path) -> None:
    card = json.loads((tiny_bundle / "bundle.json").read_text())
    assert card["labels"] == ["entailment", "neutral", "contradiction"]
    assert 0 < card["embedding_parameters"] < card["parameters"]
    assert {"model.onnx", "tokenizer.json", "config.json"} <= {
        p.name for p in tiny_bundle.iterdir()
    }
