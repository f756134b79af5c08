"""Export a checkpoint to a bundle for ONNX Runtime, OpenVINO or torch, behind a parity gate.

A graph gives the logits and every layer's hidden states, so that one bundle serves prediction and
retrieval alike; the last layer's are left out where the head reads one token of them. It is traced
in fp32 and quantized after that (`compress.export.quantize`). OpenVINO's bf16 computes in bf16 and
stores its weights in fp16, which has more digits than bf16 down to 6e-5 and takes half the bytes of
fp32. A bundle for torch is no graph but a checkpoint, in bf16 or held by bitsandbytes, that
`from_pretrained` opens as it is.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from compress.errors import CalibrationError
from compress.export import bundle, sensitivity
from compress.export.calibration_text import Calibration, samples
from compress.export.embedding_storage import Form, rewrite
from compress.export.precisions import Precision, Runtime, by_nncf, calibrated
from compress.export.quantize import Weights, quantize
from compress.export.trace import FILES, Traced, strip, trace
from compress.gate import hold
from compress.prune.structure import drop_silent_heads, heads_of
from evalsuite.agreement import outputs
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import FIRST_TOKEN, head_of, open_model, read_config
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.runtimes import openvino
from evalsuite.runtimes.torch import (
    TorchPredictor,
    architecture,
    auto_class,
    from_pretrained,
    load_checkpoint,
)
from evalsuite.task import CHOICE
from transfer.models import checkpoints
from transfer.models.checkpoints import copy_tokenizer

Facts = dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Quantization:
    """How a precision is reached, apart from its name.

    Attributes:
        calibration: text for scales of activations, and for what is lost by which part.
        exclude: parts left in fp32 (`compress.export.sensitivity`), of ONNX Runtime's int8; `auto`
            measures which.
        max_drop: percent of labels that may be lost on calibration text with `auto`.
        weights: of weight-only precisions.
    """

    calibration: Calibration | None = None
    exclude: Literal["auto"] | tuple[str, ...] = ()
    max_drop: float = 0.0
    weights: Weights = field(default_factory=Weights)


def export(
    directory: Path,
    out: Path,
    *,
    runtime: Runtime = "onnxruntime",
    precision: Precision,
    quantization: Quantization | None = None,
    probe: Probe | None = None,
    min_agreement: float = 0.0,
    embeddings: Form | None = None,
    whole: bool = False,
    lineage: Sequence[str] = (),
) -> tuple[outputs.Parity | None, Facts]:
    """Write a bundle to `out`.

    Args:
        precision: one of the runtime's `PRECISIONS`.
        probe: real text for the parity gate; without it parity is not measured.
        min_agreement: percent of labels that must stay equal, or the export fails.
        embeddings: how ONNX Runtime's graph stores the word embeddings; None leaves them as the
            precision makes them.
        whole: compute all tokens in the last layer, also where the head reads `<s>` alone
            (`compress.export.first_token`).
        lineage: what the checkpoint was made from, for the card.

    Raises:
        GateError: fewer labels agree than asked; names the worst language, and where it was lost.
        CalibrationError: the precision takes calibration text and there is none.
        ExcludeError: there is no such part to exclude.
        MissingExtraError: the runtime, or what quantizes for it, is not installed.
    """
    quantization = quantization or Quantization()
    if runtime == "openvino" or by_nncf(runtime, precision):
        # ahead of transformers, which imports it as it comes
        openvino.load(*(["nncf"] if by_nncf(runtime, precision) else []))
    model = load_checkpoint(directory)
    silent = drop_silent_heads(model) if runtime != "torch" else 0  # no config says they are gone
    predictor = TorchPredictor(directory, model, "fp32")
    session = Session(predictor)
    out.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(directory, out)
    card = _card_of(directory, predictor, runtime, precision)
    if silent:
        card["parameters"] -= silent
        card["heads"] = heads_of(model)  # a layer; no config can say so
    card["made_from"] = [*lineage, f"weights sha256:{model_size.digest(directory)}"]
    facts: Facts = {}
    if runtime == "torch":
        _held(directory, out, precision)
    else:
        facts = _graph(session, out, card, quantization, embeddings, whole)
    bundle.write_card(out, card)
    result = None
    if probe is not None and probe.per_language:
        sequences = probe.sequences(session.tokenizer, predictor.max_length)
        result = outputs.compare(session, open_model(out), sequences)
        kind = f" with {embeddings.name} embeddings" if embeddings is not None else ""
        hold(
            result,
            min_agreement,
            f"{precision} export{kind}",
            "lower min_agreement, or export "
            f"{'in another precision' if runtime == 'torch' else 'with precision: fp32'}",
            lambda: where(session, out, sequences, card),
        )
    bundle.seal(out, card, result, directory)
    sizes: Facts = {
        "MB": round(model_size.sizes(out)[0] / 1e6, 2),
        "MB before": round(model_size.sizes(directory)[0] / 1e6, 2),
    }
    facts = sizes | facts
    if result is not None:
        facts |= result.facts()
    return result, facts


def _held(directory: Path, out: Path, precision: Precision) -> None:
    """The checkpoint with everything in bf16, or all but its linear layers (not the head's)."""
    config = read_config(directory)
    model = from_pretrained(
        auto_class(head_of(config)),
        directory,
        dtype=torch.bfloat16,
        quantization_config=checkpoints.quantization(precision, config, torch.bfloat16),  # type: ignore[arg-type]
    )
    model.save_pretrained(out)  # before it runs: on a CPU bitsandbytes then repacks NF4, and rounds


def _graph(
    session: Session,
    out: Path,
    card: dict[str, Any],
    quantization: Quantization,
    embeddings: Form | None,
    whole: bool,
) -> Facts:
    """The checkpoint traced and quantized; adds to the card what was done."""
    predictor: Any = session.predictor
    directory, model = predictor.directory, predictor.model
    runtime, precision = card["runtime"], card["precision"]
    text: Mapping[str, Sequence[Encoded]] = {}
    if calibrated(runtime, precision) or quantization.exclude == "auto":
        if quantization.calibration is None:
            raise CalibrationError(f"{runtime} {precision} takes calibration text; give some rows")
        text = quantization.calibration.sequences(session.tokenizer, predictor.max_length)
    choices = predictor.labels == CHOICE
    halves = precision == "bf16"
    whole = whole or not predictor.labels  # where no label is known it serves as an encoder
    traced = trace(model, runtime, choices=choices, halves=halves, whole=whole)
    if traced.shortened:
        card["last_layer"] = FIRST_TOKEN
    facts: Facts = {}
    excluded: list[str] = []
    if quantization.exclude:
        parts = sensitivity.groups(traced.program)
        names: Sequence[str] = ()
        if quantization.exclude == "auto":
            names, card["lost_alone"] = _choose(traced, parts, session, text, quantization, out)
            top = sensitivity.ranked(card["lost_alone"])[:3]
            facts["most lost alone"] = ", ".join(
                f"{name} {card['lost_alone'][name]:.2f}%" for name in top
            )
        else:
            names = quantization.exclude
        excluded = sensitivity.nodes(parts, names)
        card["excluded"] = list(names)
        facts["excluded"] = ", ".join(names) or "nothing"
    program = quantize(
        traced,
        precision,
        samples=samples(text, choices),
        weights=quantization.weights,
        exclude=excluded,
    )
    _write(traced, program, out, directory, card)
    if embeddings is not None:
        table = model.get_input_embeddings().weight.detach().float().numpy()
        fewer = table.size - rewrite(out / card["file"], table, embeddings)
        card["parameters"] -= fewer
        card["embedding_parameters"] -= fewer
        card["embeddings"] = embeddings.name
    return facts


def _card_of(
    directory: Path, predictor: TorchPredictor, runtime: Runtime, precision: Precision
) -> dict[str, Any]:
    total, embeddings = model_size.parameter_counts(directory)
    return {
        "format": 1,
        "runtime": runtime,
        "file": FILES[runtime],
        "precision": precision,
        "labels": list(predictor.labels),
        "layers": predictor.layers,
        "max_length": predictor.max_length,
        "architecture": architecture(read_config(directory)),
        "parameters": total,
        "embedding_parameters": embeddings,
    }


def _write(traced: Traced, program: Any, out: Path, directory: Path, card: dict[str, Any]) -> None:
    """The graph, and the card that opens it."""
    if traced.runtime == "onnxruntime":
        strip(program)
    traced.save(program, out)
    shutil.copyfile(directory / "config.json", out / "config.json")  # transformers wrote its own
    bundle.write_card(out, card)


def _choose(
    traced: Traced,
    parts: Mapping[str, Sequence[str]],
    session: Session,
    text: Mapping[str, Sequence[Encoded]],
    quantization: Quantization,
    out: Path,
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Which parts to leave in fp32, and what each loses alone, in percent of labels."""
    directory = session.predictor.directory
    card = _card_of(directory, session.predictor, traced.runtime, "int8")  # type: ignore[arg-type]

    def lost(**chosen: Sequence[str]) -> float:
        with tempfile.TemporaryDirectory(dir=out) as place:
            program = quantize(traced, "int8", **chosen)  # type: ignore[arg-type]
            _write(traced, program, Path(place), directory, card)
            return 100.0 - outputs.compare(session, open_model(Path(place)), text).agreement

    alone = {name: lost(only=nodes) for name, nodes in parts.items()}
    names = sensitivity.fewest(
        alone,
        quantization.max_drop,
        lambda kept: lost(exclude=sensitivity.nodes(parts, kept)),
    )
    return names, {name: round(value, 4) for name, value in alone.items()}


def where(
    session: Session,
    out: Path,
    text: Mapping[str, Sequence[Encoded]],
    card: Mapping[str, Any],
) -> str:
    """Which parts of a bundle lose most: measured alone, or by where its hidden states leave the
    checkpoint's.

    >>> where(session, out, text, card)
    'layers that add most to the drift of hidden states: layer 1 +9.8%, layer 0 +3.1%, ...'
    """
    if alone := card.get("lost_alone"):
        most = sensitivity.ranked(alone)[:3]
        return "labels lost by parts quantized alone: " + ", ".join(
            f"{name} {alone[name]:.2f}%" for name in most
        )
    layers = session.predictor.layers
    count = layers if card.get("last_layer") == FIRST_TOKEN else layers + 1
    found = outputs.drift(session, open_model(out), text, count)
    names = ["embeddings", *(f"layer {index}" for index in range(len(found) - 1))]
    steps = [after - before for before, after in zip([0.0, *found], found, strict=False)]
    added = dict(zip(names, steps, strict=True))
    return "layers that add most to the drift of hidden states: " + ", ".join(
        f"{name} {added[name]:+.1f}%" for name in sensitivity.ranked(added)[:3]
    )
