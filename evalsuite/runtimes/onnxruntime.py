"""ONNX Runtime: bundles, run with onnxruntime, numpy and tokenizers alone (no torch)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import environment, weights
from evalsuite.errors import ModelError
from evalsuite.results import ModelInfo
from evalsuite.runtimes import BUNDLE_FILE
from evalsuite.task import CHOICE

if TYPE_CHECKING:
    import numpy as np

_ENDS = ("start_logits", "end_logits")


def opens(directory: Path) -> bool:
    """Whether the directory is a bundle for this runtime."""
    path = directory / BUNDLE_FILE
    if not path.is_file():
        return False
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("runtime") == "onnxruntime")
    except ValueError:
        return False


def modules(directory: Path) -> tuple[str, ...]:
    """What opening a bundle imports."""
    return ("onnxruntime",)


class OnnxPredictor:
    """An ONNX Runtime session as a `Predictor`."""

    def __init__(self, directory: Path, session: Any, card: dict[str, Any], threads: int) -> None:
        self.directory = directory
        self.session = session
        self.card = card
        self.labels = tuple(card["labels"])
        self.layers = int(card["layers"])
        self.max_length = int(card["max_length"])
        self.precision = str(card["precision"])
        self.threads = threads
        self.device = "cpu"
        self._outputs = {output.name for output in session.get_outputs()}
        self._choices = self.labels == CHOICE

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        if "logits" in wanted and self._outputs.issuperset(_ENDS):
            return self._spans(input_ids, attention_mask, wanted)
        missing = set(wanted) - self._outputs
        if missing:
            raise ModelError(
                f"{self.directory} does not give {', '.join(sorted(missing))}; "
                f"it gives {', '.join(sorted(self._outputs))}"
            )
        if self._choices:  # the graph takes `[batch, choices, tokens]`; rows of one choice each
            input_ids, attention_mask = input_ids[:, None], attention_mask[:, None]
        values = self.session.run(
            list(wanted), {"input_ids": input_ids, "attention_mask": attention_mask}
        )
        return dict(zip(wanted, values, strict=True))

    def _spans(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """The same where the graph gives the two ends apart, as optimum reads them."""
        import numpy as np

        names = (*_ENDS, *(name for name in wanted if name != "logits"))
        values = self(input_ids, attention_mask, names)
        return values | {"logits": np.stack([values.pop(name) for name in _ENDS], -1)}

    def describe(self, label: str) -> ModelInfo:
        model_bytes, tokenizer_bytes = weights.sizes(self.directory)
        return ModelInfo(
            label=label,
            digest=weights.digest(self.directory),
            architecture=self.card["architecture"],
            runtime="onnxruntime",
            precision=self.precision,
            parameters=self.card["parameters"],
            embedding_parameters=self.card["embedding_parameters"],
            bytes=model_bytes,
            tokenizer_bytes=tokenizer_bytes,
        )


def open_model(directory: Path, threads: int | None = None) -> OnnxPredictor:
    """Open a bundle on the CPU provider.

    Raises:
        ModelError: the graph does not load.
    """
    import onnxruntime

    card = json.loads((directory / BUNDLE_FILE).read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    threads = threads or environment.threads()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(directory / card["file"]), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelError(f"{directory} does not open in ONNX Runtime: {error}") from error
    return OnnxPredictor(directory, session, card, threads)
