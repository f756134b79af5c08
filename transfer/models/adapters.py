"""Adapters and prompts as they were trained: on their base, in its precision.

>>> predictor = open_adapter(Path("target"), TASKS.get("xnli"))
>>> predictor.precision
'nf4'

Plain peft opens them too; this finds the base and holds it as it was held in training, which is
written next to the adapter.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from evalsuite.inference.checkpoint_config import model_config
from evalsuite.machine import model_size
from evalsuite.opening.adapter import attach
from evalsuite.results.record import ModelInfo
from evalsuite.runtimes.torch import TorchPredictor, architecture
from evalsuite.task import Task
from transfer.errors import AdapterError
from transfer.methods import _prompts
from transfer.models import checkpoints
from transfer.models.checkpoints import Embeddings, Precision

if TYPE_CHECKING:
    import numpy as np

_PREFIX, _SOFT = "PREFIX_TUNING", "PROMPT_TUNING"


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is written in an adapter's directory."""

    directory: Path
    base: Path
    kind: str  # peft's: LORA, PREFIX_TUNING, PROMPT_TUNING
    virtual_tokens: int  # 0 unless it is a prompt
    dora: bool
    has_head: bool
    precision: Precision  # of the base, while it was trained
    embeddings: Embeddings

    @classmethod
    def read(cls, directory: Path) -> Adapter:
        """Look, and find the base.

        Raises:
            AdapterError: it is none, or its base is gone.
        """
        try:
            config = json.loads((directory / "adapter_config.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AdapterError(f"{directory} is no adapter: no adapter_config.json") from None
        base = Path(config["base_model_name_or_path"])
        if not (base / "config.json").is_file():
            raise AdapterError(
                f"the base of {directory} is gone: {base}; run the recipe again from it"
            )
        training = checkpoints.read_training(directory)
        return cls(
            directory,
            base,
            config["peft_type"],
            config.get("num_virtual_tokens") or 0,
            bool(config.get("use_dora")),
            config.get("task_type") != "FEATURE_EXTRACTION",
            training.get("base_precision", "fp32"),
            training.get("embeddings", "fp32"),
        )

    def base_for(self, task: Task | None, precision: Precision) -> Any:
        """The base in a precision, with the head that the adapter's is to take the place of.

        Args:
            task: whose head the adapter carries; None for an encoder's adapter.

        Raises:
            AdapterError: it has a head, and the task is not known.
            ModelError: the base does not open.
        """
        if task is None and self.has_head:
            raise AdapterError(
                f"{self.directory} has a task's head, but does not say which task it is: there is "
                f"no {checkpoints.TRAINING_FILE} next to it; train it in a recipe"
            )
        return checkpoints.load(self.base, task, precision)[0]

    def live(self, task: Task | None) -> Any:
        """The model as it was trained, of peft. Raises: as `base_for`."""
        model = self.base_for(task, self.precision)
        checkpoints.hold_embeddings(model, self.embeddings)
        if self.dora:
            checkpoints.keep_codes(model)
        wrapped = attach(model, self.directory).eval()
        if self.kind == _SOFT:
            _prompts.hide_virtual_tokens(wrapped)
        return wrapped


class AdapterPredictor(TorchPredictor):
    """A live adapter as a `Predictor`."""

    def __init__(self, adapter: Adapter, task: Task | None) -> None:
        super().__init__(adapter.base, adapter.live(task), adapter.precision)
        self.adapter = adapter
        self.labels, self.answers = (task.labels if task else ()), "label"
        self.max_length -= adapter.virtual_tokens

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        hidden = tuple(name for name in wanted if name.startswith("hidden"))
        if self.adapter.kind != _PREFIX or not hidden:
            return super().__call__(input_ids, attention_mask, wanted)
        outputs = {}
        if rest := tuple(name for name in wanted if name not in hidden):
            outputs = super().__call__(input_ids, attention_mask, rest)
        states = self._states(input_ids, attention_mask)
        return outputs | {n: states[int(n.partition(".")[2])].float().cpu().numpy() for n in hidden}

    def _states(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> Any:
        """Hidden states under a prefix, which peft (0.21) takes for the pooled output of a pair's
        model when they are asked for."""
        ids, mask = (torch.from_numpy(a).to(self.model.device) for a in (input_ids, attention_mask))
        ones = mask.new_ones(len(mask), self.adapter.virtual_tokens)
        with torch.inference_mode():
            return (
                self.model.get_base_model()
                .base_model(
                    input_ids=ids,
                    attention_mask=torch.cat((ones, mask), 1),
                    past_key_values=self.model.get_prompt(len(mask)),
                    output_hidden_states=True,
                )
                .hidden_states
            )

    def describe(self, label: str) -> ModelInfo:
        """Base and adapter together: what has to lie on the disk, and what is computed with."""
        base, own = self.adapter.base, self.adapter.directory
        held = f"{self.adapter.precision} {self.adapter.embeddings}"
        digests = " ".join((model_size.digest(base), model_size.digest(own), held))
        total, embeddings = model_size.parameter_counts(base)
        added, _ = model_size.parameter_counts(own)
        size, tokenizer = model_size.sizes(base)
        return ModelInfo(
            label=label,
            digest=hashlib.sha256(digests.encode()).hexdigest(),
            architecture=architecture(model_config(base)),
            runtime="torch",
            precision=self.precision,
            parameters=total + added,
            embedding_parameters=embeddings,
            bytes=size + model_size.sizes(own)[0],
            tokenizer_bytes=tokenizer,
        )


def open_adapter(directory: Path, task: Task | None) -> AdapterPredictor:
    """Open an adapter on its base; on a GPU where torch sees one.

    Args:
        task: whose head the adapter carries; None for an encoder's adapter.

    Raises:
        AdapterError: it is none, or its base is gone.
        ModelError: the base does not open.
    """
    predictor = AdapterPredictor(Adapter.read(directory), task)
    if torch.cuda.is_available():
        predictor.model = predictor.model.cuda()
    return predictor
