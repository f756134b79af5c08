"""torch: checkpoints, opened with plain transformers, in the precision they are stored in.

>>> open_model(Path("student-nf4")).precision
'nf4'
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.inference.batching import ON_CPU, ON_GPU, Batching
from evalsuite.inference.checkpoint_config import (
    Answers,
    answers_of,
    head_of,
    labels_of,
    max_length_of,
    model_config,
    read_config,
)
from evalsuite.machine import model_size
from evalsuite.opening.pretrained import from_pretrained
from evalsuite.results.record import ModelInfo
from evalsuite.runtimes._bundle import check_files, read_card
from evalsuite.runtimes._products import Multiply, Prepare
from evalsuite.task import CHOICE

if TYPE_CHECKING:
    import numpy as np


def opens(directory: Path) -> bool:
    """Whether the directory is a safetensors checkpoint."""
    return (directory / "config.json").is_file() and any(directory.glob("model*.safetensors"))


def modules(directory: Path) -> tuple[str, ...]:
    """What opening this checkpoint imports; the modelling file is the bulk of it."""
    config = read_config(directory)
    kind = config["model_type"].replace("-", "_")
    method = config.get("quantization_config", {}).get("quant_method")
    quantizer = ("bitsandbytes",) if method == "bitsandbytes" else ()
    return ("torch", "transformers", f"transformers.models.{kind}.modeling_{kind}", *quantizer)


def load_checkpoint(directory: Path) -> Any:
    """The transformers model a checkpoint holds: with its head if it has one, else the encoder.

    Weights stored in fp16 become fp32 where there is no GPU: processors compute fp16 slowly.

    Raises:
        ModelError: as `evalsuite.opening.pretrained.from_pretrained`.
    """
    import torch

    config = read_config(directory)
    # for int8 it warns at every product that bf16 becomes fp16
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    model = from_pretrained(auto_class(head_of(config)), directory).eval()
    half = model.dtype == torch.float16 and "quantization_config" not in config
    if half and not torch.cuda.is_available():
        model.float()
    return model


def auto_class(format: str | None) -> Any:
    """The transformers auto class with the head of a task format (None: the encoder alone)."""
    import transformers

    from evalsuite.static import model

    model.register()
    return {
        "pair": transformers.AutoModelForSequenceClassification,
        "tagging": transformers.AutoModelForTokenClassification,
        "span": transformers.AutoModelForQuestionAnswering,
        "choice": transformers.AutoModelForMultipleChoice,
    }.get(format or "", transformers.AutoModel)


class TorchPredictor:
    """A transformers model as a `Predictor`, on the threads of the process."""

    def __init__(self, directory: Path, model: Any, precision: str) -> None:
        config = model_config(directory)
        self.directory = directory
        self.model = model
        self.precision = precision
        self.head = head_of(config)
        self.labels = labels_of(config) if self.head else ()
        self.answers: Answers = answers_of(config)
        self.layers = int(model.config.num_hidden_layers)
        self.max_length = max_length_of(config)

    @property
    def threads(self) -> int:
        """Of the process."""
        import torch

        return int(torch.get_num_threads())

    @property
    def device(self) -> str:
        """`cpu`, or the name of the GPU the model is on."""
        import torch

        device = self.model.device
        return "cpu" if device.type == "cpu" else str(torch.cuda.get_device_name(device))

    @property
    def batching(self) -> Batching:
        """By the device."""
        return ON_CPU if self.device == "cpu" else ON_GPU

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        import torch

        device = self.model.device
        if (
            self.labels == CHOICE
        ):  # rows of one choice each, so that no row waits for its longest choice
            input_ids, attention_mask = input_ids[:, None], attention_mask[:, None]
        with torch.inference_mode():
            result = self.model(
                input_ids=torch.from_numpy(input_ids).to(device),
                attention_mask=torch.from_numpy(attention_mask).to(device),
                output_hidden_states=any(name.startswith("hidden") for name in wanted),
            )
        outputs: dict[str, np.ndarray] = {}
        for name in wanted:
            kind, _, layer = name.partition(".")
            value = logits_of(result) if kind == "logits" else result.hidden_states[int(layer)]
            outputs[name] = value.float().cpu().numpy()
        return outputs

    def run_batches(
        self, batches: Iterable[tuple[np.ndarray, np.ndarray]], wanted: tuple[str, ...]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Run padded batches one after the other, each on all threads."""
        for ids, mask in batches:
            yield self(ids, mask, wanted)

    def describe(self, label: str) -> ModelInfo:
        total, embeddings = model_size.parameter_counts(self.directory)
        model_bytes, tokenizer_bytes = model_size.sizes(self.directory)
        return ModelInfo(
            label=label,
            digest=model_size.digest(self.directory),
            architecture=architecture(model_config(self.directory)),
            runtime="torch",
            precision=self.precision,
            parameters=total,
            embedding_parameters=embeddings,
            bytes=model_bytes,
            tokenizer_bytes=tokenizer_bytes,
        )


def logits_of(output: Any) -> Any:
    """The head's logits, `[batch, labels]` or `[batch, tokens, labels]`; those of the two ends of
    a span as two labels."""
    if "start_logits" in output:
        import torch

        return torch.stack((output.start_logits, output.end_logits), -1)
    return output.logits


def architecture(config: dict[str, Any]) -> str:
    """`xlm-roberta 12x768`: model type, layers, width."""
    return f"{config['model_type']} {config['num_hidden_layers']}x{config['hidden_size']}"


def open_model(directory: Path, threads: int | None = None) -> TorchPredictor:
    """Open a checkpoint; on a GPU where torch sees one.

    Raises:
        ModelError: it does not open, or is an incomplete bundle.
    """
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if card := read_card(directory, "torch"):
        check_files(directory, card)
    model = load_checkpoint(directory)
    held = held_in(read_config(directory))
    if torch.cuda.is_available() and held is None:  # what is quantized is there already
        model = model.cuda()
    names = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
    return TorchPredictor(directory, model, held or names.get(model.dtype, str(model.dtype)))


def held_in(config: dict[str, Any]) -> str | None:
    """What the linear layers of a quantized checkpoint are held in: `int8`, `nf4`, or the method's
    name where it is not bitsandbytes; None where nothing is quantized."""
    found = config.get("quantization_config")
    if not found:
        return None
    if found.get("load_in_4bit"):
        return str(found["bnb_4bit_quant_type"])
    return "int8" if found.get("load_in_8bit") else str(found.get("quant_method", "quantized"))


# A checkpoint's precision -> type of its matrix products, for the machine's peak.
PRODUCTS = {
    "fp32": "fp32", "bf16": "bf16", "int8": "int8",
    "nf4": "bf16",  # decoded, then multiplied
}  # fmt: skip


def _matrix_product(kind: str) -> Prepare:
    """Square matrices of a type."""

    def prepare(size: int, threads: int) -> Callable[[], object]:
        import torch

        torch.set_num_threads(threads)
        if kind == "int8":
            one, other = (torch.randint(-100, 100, (size, size), dtype=torch.int8) for _ in "ab")
            return lambda: torch._int_mm(one, other)
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[kind]
        one, other = (torch.randn(size, size, dtype=dtype) for _ in "ab")
        return lambda: torch.mm(one, other)

    return prepare


MULTIPLY: Multiply = {
    "fp32": {"torch.mm": _matrix_product("fp32")},
    "bf16": {"torch.mm": _matrix_product("bf16")},
    "int8": {"torch._int_mm": _matrix_product("int8")},
}
