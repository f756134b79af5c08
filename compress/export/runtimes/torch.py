"""Bundles for torch: checkpoints that `from_pretrained` of plain transformers opens.

`int8` and `nf4` are bitsandbytes' and hold the linear layers except the head's; all else is bf16.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, ClassVar

from compress.export.example_script import sentence
from compress.export.exporter import CheckpointExporter, Precision

if TYPE_CHECKING:
    from compress.export.bundle import BundleCard

_SCRIPT = """import torch
from transformers import AutoTokenizer, CLASS

tokenizer = AutoTokenizer.from_pretrained(".")
device = "cuda" if torch.cuda.is_available() else "cpu"
model = CLASS.from_pretrained(".", device_map=device).eval()

inputs = tokenizer(TEXT, return_tensors="pt").to(device)
with torch.inference_mode():
    print(model(**inputs))
"""
_HEADS: dict[str | None, tuple[str, str]] = {
    "pair": ("ForSequenceClassification", '"A man is reading.", "Nobody reads."'),
    "tagging": ("ForTokenClassification", '"Maria lives in Berlin"'),
    "span": ("ForQuestionAnswering", '"Where does Maria live?", "Maria lives in Berlin."'),
    "choice": ("ForMultipleChoice", '["It is wet."] * 2, ["Water came.", "It is dry."]'),
}
_SHOWN = "print(model(**inputs))"
_VECTOR = """states = model(**inputs).last_hidden_state[0]
print(torch.nn.functional.normalize(POOLED, dim=0))"""
_POOLED = {"mean": "states.mean(0)", "cls": "states[0]"}


class TorchExporter(CheckpointExporter):
    """Checkpoints for torch."""

    runtime = "torch"
    file = "model.safetensors"
    precisions: ClassVar[Mapping[str, Precision]] = {
        "bf16": Precision("Weights and activations in bf16."),
        "int8": Precision("Linear layers in bitsandbytes' int8; all else in bf16."),
        "nf4": Precision("Linear layers stored in bitsandbytes' nf4; all else in bf16."),
    }
    remedy = "export in another precision"

    def write(self, directory: Path, out: Path, precision: str) -> None:
        """Save the checkpoint with everything in bf16, or all but its linear layers."""
        import torch

        from evalsuite.inference.checkpoint_config import head_of, model_config
        from evalsuite.opening.pretrained import from_pretrained
        from evalsuite.runtimes.torch import auto_class
        from transfer.models import checkpoints

        config = model_config(directory)
        model = from_pretrained(
            auto_class(head_of(config)),
            directory,
            dtype=torch.bfloat16,
            quantization_config=checkpoints.quantization(precision, config, torch.bfloat16),  # type: ignore[arg-type]
        )
        # Save it before it runs: on a CPU bitsandbytes then repacks nf4, and rounds.
        model.save_pretrained(out)

    def requirements(self, precision: str) -> str:
        """Bitsandbytes holds int8 and nf4."""
        return "`torch` and `transformers`" + ("" if precision == "bf16" else " and `bitsandbytes`")

    def example(self, card: BundleCard) -> str:
        """Runs on a GPU where there is one."""
        kind, text = _HEADS.get(card.head, ("", sentence(card)))
        script = _SCRIPT.replace("CLASS", f"AutoModel{kind}").replace("TEXT", text)
        if card.head is None:
            vector = _VECTOR.replace("POOLED", _POOLED[card.vectors.pooling])
            script = script.replace(f"    {_SHOWN}", indent(vector, "    "))
        if card.head == "choice":  # `[batch, choices, tokens]`
            script = script.replace(
                "**inputs", "**{name: tensor[None] for name, tensor in inputs.items()}"
            )
        return script


EXPORTER = TorchExporter()
