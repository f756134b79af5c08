"""Adapters and prompts as they were trained: on their base, in its precision.

>>> predictor = open_adapter(Path("target"), TASKS.get("xnli"))
>>> predictor.precision
'nf4'

Plain peft opens them too; this finds the base and holds it as it was held in training, which is
written next to the adapter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from evalsuite.home_path import home_path
from evalsuite.inference.checkpoint_config import Answers, labels_of, model_config
from evalsuite.inference.task_head import answers_of_task
from evalsuite.machine import model_size
from evalsuite.opening.adapter import WEIGHTS, attach
from evalsuite.opening.hub import HubId
from evalsuite.opening.validated import TRAINING_FILE, adapter_config, training_record
from evalsuite.opening.weight_files import file_shapes
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
    recorded: bool = True  # trained here: there is a training.json

    @classmethod
    def read(cls, directory: Path) -> Adapter:
        """Look, and find the base.

        Raises:
            AdapterError: it is none, or its base is gone.
            ModelError: one of its files does not hold what it should.
            OfflineError: its base is one of the hub, which cannot be reached.
        """
        from peft import PeftType

        try:
            config = adapter_config(directory)
        except FileNotFoundError:
            raise AdapterError(f"{directory} is no adapter: no adapter_config.json") from None
        kind = config["peft_type"]
        if kind not in PeftType.__members__:
            raise AdapterError(
                f"{directory} is an adapter of the type {kind!r}, which peft does not know; "
                "train it with LORA"
            )
        file_shapes(directory / WEIGHTS)  # whole, or an error
        training = training_record(directory)
        return cls(
            directory,
            _base(directory, config),
            kind,
            config.get("num_virtual_tokens") or 0,
            bool(config.get("use_dora")),
            config.get("task_type") != "FEATURE_EXTRACTION",
            training.get("base_precision", "fp32"),
            training.get("embeddings", "fp32"),
            bool(training),
        )

    def labels(self, task: Task | None) -> tuple[str, ...]:
        """The task's labels in the order of the head: plain peft keeps that of the base."""
        if task is None:
            return ()
        config = model_config(self.base)
        own = not self.recorded and checkpoints.fits(config, task)
        return labels_of(config) if own else task.labels

    def answers(self, task: Task | None) -> Answers:
        """What its head gives per row."""
        return "label" if task is None else answers_of_task(task)

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
                f"no {TRAINING_FILE} next to it; name the task in the stage, such as "
                "adapter_task: xnli"
            )
        if task is not None and self.labels(task) != task.labels:
            return checkpoints.frozen(self.base, precision)
        return checkpoints.load(self.base, task, precision, new_head=True)[0]

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


def _base(directory: Path, config: Mapping[str, Any]) -> Path:
    """The base's directory, downloaded where the adapter names one of the hub.

    Raises:
        AdapterError: it is gone.
        OfflineError: the hub cannot be reached.
    """
    text = config["base_model_name_or_path"]
    path = home_path(text)
    if (path / "config.json").is_file():
        return path
    hub = HubId.parse(text)
    if hub is None or path.exists():
        raise AdapterError(
            f"the base of {directory} is gone: {text}; run the recipe again from it, or write "
            "where it is into base_model_name_or_path of its adapter_config.json"
        )
    return replace(hub, revision=hub.revision or config.get("revision")).download()


class AdapterPredictor(TorchPredictor):
    """A live adapter as a `Predictor`."""

    def __init__(self, adapter: Adapter, task: Task | None) -> None:
        super().__init__(adapter.base, adapter.live(task), adapter.precision)
        self.adapter = adapter
        self.labels, self.answers = adapter.labels(task), adapter.answers(task)
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
        """Hidden states of each layer under a prefix."""
        ids, mask = (torch.from_numpy(a).to(self.model.device) for a in (input_ids, attention_mask))
        with torch.inference_mode():
            return _prompts.prefix_states(self.model, ids, mask)

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
