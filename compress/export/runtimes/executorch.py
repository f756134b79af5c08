"""Bundles for ExecuTorch: one program for XNNPACK, for phones and small boards.

transformers' exporter traces and lowers the checkpoint. `int8` is XNNPACK's dynamic quantization:
linear layers with a scale per output channel, activations with a scale per token. Its quantizer
keeps word embeddings in fp32, so they are held in int8 with a scale per row, which ExecuTorch's
plain kernels look up (`transfer.precision.quantized_embedding`). What XNNPACK has no kernel for,
layer norms and lookups, runs in ExecuTorch's portable kernels.

A program takes one row of any length up to the model's longest. With more rows per run its memory
is planned for as many of the longest, and programs of span heads do not run: their lowering fixes
the number of rows of the trace (executorch 1.5.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compress.errors import ExportError
from compress.export.example_script import GraphScript
from compress.export.exporter import CheckpointExporter, Precision

if TYPE_CHECKING:
    from compress.export.bundle import BundleCard

_PACKAGES = ("torchao",)
_OPENING = """\
import torch
from executorch.runtime import Runtime

program = Runtime.get().load_program(card["file"])
method = program.load_method("forward")
"""


class ExecuTorchExporter(CheckpointExporter):
    """Programs for ExecuTorch."""

    runtime = "executorch"
    file = "model.pte"
    extra = "executorch"
    packages = ("executorch",)
    every_layer = False
    precisions: ClassVar[Mapping[str, Precision]] = {
        "fp32": Precision("Weights and activations in fp32."),
        "int8": Precision(
            "Linear layers in int8, with an activation scale per token; word embeddings "
            "in int8, with a scale per row.",
            packages=_PACKAGES,
            bytes_of_weights=1.0,
            bytes_of_words=1.0,
        ),
    }

    def write(self, directory: Path, out: Path, precision: str) -> None:
        """Trace, quantize and lower.

        Raises:
            ExportError: what a model of this family computes cannot be traced or lowered.
        """
        from compress.export.bundle import write_config
        from compress.export.trace import quiet
        from evalsuite.inference.checkpoint_config import model_config
        from evalsuite.runtimes.torch import load_checkpoint

        model = load_checkpoint(directory).float()
        model.config.output_hidden_states = False
        if precision == "int8":
            _hold_words_in_int8(model)
        try:
            with quiet():
                program = _lowered(model, precision)
        except Exception as error:  # of torch, transformers, torchao or executorch
            kind = model.config.model_type
            raise ExportError(
                f"a {kind} model does not lower to ExecuTorch: {type(error).__name__}: "
                f"{str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"
                "\nset runtime: onnxruntime"
            ) from error
        with (out / self.file).open("wb") as file:
            program.write_to_file(file)
        write_config(model_config(directory), out)

    def requirements(self, precision: str) -> str:
        """Torch carries arrays in and out; on a phone neither it nor Python is needed."""
        return "`executorch`, `torch`, `tokenizers` and `numpy`"

    def example(self, card: BundleCard) -> str:
        """Runs the program in Python."""
        return GraphScript("torch", _OPENING, _run, by_row=True).text(card)

    def note(self, precision: str) -> str:
        """How many rows a program takes, and where it runs without Python."""
        return (
            "\nThe program takes one row at a time. It is for ExecuTorch's XNNPACK backend: an app "
            "for Android or iOS\nloads `model.pte` with ExecuTorch's library and makes token ids "
            "with `tokenizers`.\n"
        )


def _run(outputs: Sequence[str], variables: Sequence[str]) -> str:
    first = ", ".join(variables) + ("," if len(variables) == 1 else "")
    return (
        "rows = [torch.from_numpy(array) for array in feeds.values()]\n"
        "found = [method.execute(list(row)) for row in zip(*(part.split(1) for part in rows))]\n"
        f"{first} = (np.concatenate(parts) for parts in list(zip(*found))[:{len(variables)}])\n"
    )


def _hold_words_in_int8(model: Any) -> None:
    """Replace the table of word embeddings, in place, by codes with a scale per row."""
    from torch import nn

    from transfer.precision.quantized_embedding import QuantizedEmbedding

    table = model.get_input_embeddings()
    if isinstance(table, nn.Embedding):
        model.set_input_embeddings(QuantizedEmbedding.of(table, bits=8))


def _lowered(model: Any, precision: str) -> Any:
    """The program, an `ExecutorchProgramManager`."""
    import torch
    from torch.export import Dim
    from transformers import exporters

    from compress.export.first_token import first_token_alone
    from compress.export.trace import sample_ids
    from evalsuite.find_family import longest_of
    from evalsuite.inference.checkpoint_config import head_of

    model.set_attn_implementation("eager")  # torch's own is traced with a softmax of five parts
    ids = sample_ids(model, 1)
    if head_of(model.config.to_dict()) == "choice":  # one choice per row
        ids = ids[:, None]
    axes = {ids.dim() - 1: Dim("length", max=longest_of(model.config))}
    sample = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    config = exporters.ExecutorchConfig(
        dynamic=True,
        dynamic_shapes=dict.fromkeys(sample, axes),
        quantizer=_quantizer(sample) if precision == "int8" else None,
    )
    with first_token_alone(model, sample):
        return exporters.ExecutorchExporter().export(model, sample, config=config).program


def _quantizer(sample: dict[str, Any]) -> Any:
    """XNNPACK's: linear layers in int8 per channel, activations per token; no calibration."""
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from transformers.exporters import PT2EQuantizer

    class LinearLayers(XNNPACKQuantizer):  # type: ignore[misc]
        def transform_for_annotation(self, model: Any) -> Any:
            """Without XNNPACK's step for sums, which turns whole numbers of positions to fp32."""
            return model

    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True)
    return PT2EQuantizer(LinearLayers().set_global(config), [sample])


EXPORTER = ExecuTorchExporter()
