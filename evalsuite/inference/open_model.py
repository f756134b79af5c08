"""Open a checkpoint or a bundle and run it: one protocol over every runtime.

>>> predictor = open_model(Path("student-int8"), threads=2)
>>> predictor(ids, mask, ("logits",))["logits"].shape
(8, 3)

A runtime is one file (`evalsuite.runtimes`); the first whose `opens` is true opens the directory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from evalsuite.errors import ModelError, PickleRefusedError
from evalsuite.registry import RUNTIMES
from evalsuite.task import CHOICE, SPAN_ENDS

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.batching import Batching
    from evalsuite.results.record import ModelInfo

BUNDLE_FILE = "bundle.json"
CONCURRENT_FROM = 2  # batches per thread, from which a runtime may run several at the same time
FIRST_TOKEN = "first-token"  # its `last_layer`, where that layer computes `<s>` alone


class Predictor(Protocol):
    """A model ready to run.

    Attributes:
        directory: where it was opened from; holds `tokenizer.json` and `config.json`.
        labels: label set in id order, empty for a headless encoder.
        layers: number of hidden layers; `hidden_states.0` to `hidden_states.<layers>` exist
            where the runtime gives them.
        max_length: longest sequence it takes, specials included.
        precision: `fp32`, `bf16`, `int8`.
    """

    directory: Path
    labels: tuple[str, ...]
    layers: int
    max_length: int
    precision: str

    @property
    def threads(self) -> int:
        """Intra-op threads it runs on."""
        ...

    @property
    def batching(self) -> Batching:
        """What batches suit it."""
        ...

    @property
    def device(self) -> str:
        """`cpu`, or the name of the GPU."""
        ...

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Run one padded batch.

        Args:
            input_ids: int64 `[batch, tokens]`.
            attention_mask: int64 `[batch, tokens]`, 1 on real tokens.
            wanted: names out of `logits` and `hidden_states.<k>`.

        Returns:
            name -> float32, `logits` `[batch, labels]` or `[batch, tokens, labels]` (of a model
            of spans the labels are start and end; one of choices has one label, and each sequence
            is a choice), `hidden_states.<k>` `[batch, tokens, width]`.
        """
        ...

    def run_batches(
        self, batches: Iterable[tuple[np.ndarray, np.ndarray]], wanted: tuple[str, ...]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Run many padded batches, ids and mask each, and give what `__call__` gives, in order.

        A runtime that is faster that way runs several at the same time, one thread each. Then
        batches are read before the outputs of earlier ones are taken.
        """
        ...

    def describe(self, label: str) -> ModelInfo:
        """What the model is: digest, parameters, bytes, precision."""
        ...


def open_model(directory: Path, threads: int | None = None) -> Predictor:
    """Open a checkpoint or a bundle in the runtime it is made for.

    Raises:
        ModelError: nothing here can open it; says what a checkpoint must hold.
        PickleRefusedError: the weights are a pickle.
    """
    predictor: Predictor = _runtime(directory).open_model(directory, threads)
    return predictor


def modules(directory: Path) -> tuple[str, ...]:
    """Names of what opening this model imports, to be imported ahead of it.

    Raises: as `open_model`.
    """
    names: tuple[str, ...] = _runtime(directory).modules(directory)
    return names


def _runtime(directory: Path) -> ModuleType:
    for name in RUNTIMES.names():
        runtime = RUNTIMES.get(name)
        if runtime.opens(directory):
            return runtime
    refuse_pickle(directory)
    raise ModelError(
        f"{directory} is neither a checkpoint (config.json and model.safetensors) nor a bundle "
        f"({BUNDLE_FILE} and its model file)"
    )


def refuse_pickle(directory: Path) -> None:
    """Raise PickleRefusedError when the only weights are pickles."""
    pickles = sorted(
        path.name
        for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
        for path in directory.glob(pattern)
        if path.name != "training_args.bin" and not path.with_suffix(".xml").is_file()  # OpenVINO's
    )
    if pickles and not any(directory.glob("*.safetensors")):
        raise PickleRefusedError(directory, pickles)


def read_config(directory: Path) -> dict[str, Any]:
    """`config.json` as a mapping.

    Raises:
        ModelError: absent or not JSON.
    """
    path = directory / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{directory} has no config.json, so it is not a checkpoint") from None
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    return config


def max_length_of(config: dict[str, Any]) -> int:
    """Longest sequence an XLM-R takes: two of its positions are reserved."""
    return int(config["max_position_embeddings"]) - 2


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Label set in id order, from `id2label`; of a model of spans, its two ends, of one of choices
    its one score."""
    head = head_of(config)
    if head in ("span", "choice"):
        return SPAN_ENDS if head == "span" else CHOICE
    table = config.get("id2label") or {}
    return tuple(table[key] for key in sorted(table, key=int))


def head_of(config: dict[str, Any]) -> str | None:
    """`pair`, `tagging`, `span` or `choice` by the architecture the config names, None for an
    encoder."""
    architecture = " ".join(config.get("architectures") or ())
    if "SequenceClassification" in architecture:
        return "pair"
    if "TokenClassification" in architecture:
        return "tagging"
    if "QuestionAnswering" in architecture:
        return "span"
    if "MultipleChoice" in architecture:
        return "choice"
    return None
