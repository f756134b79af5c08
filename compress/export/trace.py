"""Trace a checkpoint to a graph for a runtime: any batch and length, logits and hidden states.

>>> traced = trace(model, "onnxruntime", choices=False)
>>> traced.save(traced.program, Path("out"))
'model.onnx'

Tracing is by `transformers.exporters`, in fp32 and without a quantizer: it takes longer than
quantizing, and what is traced once can be quantized in several ways.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.export.fewer_tokens import fewer_tokens
from compress.export.first_token import first_token_alone
from compress.export.kept_tokens import KeptTokens
from compress.export.registry import graph_exporter
from evalsuite.find_family import longest_of

_TOKENS = 16  # of a row that a model is traced with


@dataclass(frozen=True, slots=True)
class Traced:
    """A graph in fp32.

    Attributes:
        exported: what transformers exported.
        sample: the inputs it was traced with.
        shortened: whether the last layer computes `<s>` alone, and its states are left out.
    """

    runtime: str
    exported: Any
    sample: dict[str, Any]
    shortened: bool = False

    @property
    def program(self) -> Any:
        """`onnx_ir.Model` or `openvino.Model`."""
        return self.exported.program

    def save(self, program: Any, out: Path) -> str:
        """Write this graph or one made from it.

        Returns:
            the name of the file to open; its weights are in another file there.
        """
        (name,) = self.exported.components
        component = copy.copy(self.exported.components[name])
        component.program = program
        exported = copy.copy(self.exported)
        exported.components = {name: component}
        exporter = graph_exporter(self.runtime)
        exporter.tidy(program)
        with quiet():
            exported.save_pretrained(out)
        return exporter.file


def trace(
    model: Any,
    runtime: str,
    *,
    choices: bool,
    precision: str = "fp32",
    whole: bool = False,
    kept: KeptTokens | None = None,
) -> Traced:
    """Trace a transformers model.

    Args:
        choices: whether it takes `[batch, choices, tokens]`.
        precision: of the bundle; tracing is in fp32, but some runtimes store weights in fewer bits.
        whole: compute all tokens in the last layer, also for a head that reads `<s>` alone.
        kept: percent of the tokens that are left after a layer (`compress.export.fewer_tokens`).

    Raises:
        ExportError: the model cannot leave tokens out.
    """
    import torch
    from torch.export import Dim

    longest = longest_of(model.config)
    axes: dict[int, Any] = {0: Dim("batch"), 1: Dim("length", max=longest)}
    ids = sample_ids(model, 2)
    if choices:
        axes = {0: axes[0], 1: Dim("choices"), 2: axes[1]}
        ids = torch.stack([ids, ids.flip(1), ids.flip(0)], 1)
    sample = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    exporter = graph_exporter(runtime)
    tracer, config = exporter.tracer(precision, dict.fromkeys(sample, axes))
    before = model.config.output_hidden_states
    model.config.output_hidden_states = True
    try:
        shorter = nullcontext(False) if whole else first_token_alone(model, sample)
        with quiet(), shorter as shortened, fewer_tokens(model, kept or {}):
            exported = tracer.export(model, sample, config=config)
    finally:
        model.config.output_hidden_states = before
    traced = Traced(runtime, exported, sample, shortened)
    layers = model.config.num_hidden_layers
    for number in range(min(kept) if kept else layers + (not shortened), layers + 1):
        exporter.drop_output(traced.program, f"hidden_states.{number}")
    return traced


def sample_ids(model: Any, rows: int) -> Any:
    """Random token ids to trace with, `[rows, tokens]`: 16 tokens, or fewer in a shorter model."""
    import torch

    tokens = min(_TOKENS, longest_of(model.config))
    return torch.randint(5, min(1000, model.config.vocab_size), (rows, tokens))


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the messages of exporters and quantizers."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.setLevel(level)
