"""What the bundles of every runtime share: their card, their outputs, and how a head is read.

>>> card = read_card(Path("student-int8"), "onnxruntime")
>>> card["precision"], card["labels"]
('int8', ['entailment', 'neutral', 'contradiction'])

A graph takes `input_ids` and `attention_mask` and gives `logits` (a model of spans `start_logits`
and `end_logits`) and `hidden_states.<k>` (the last one not where the card says `last_layer:
first-token`); a runtime only has to run it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.inference.batching import ON_CPU
from evalsuite.inference.open_model import BUNDLE_FILE, ENOUGH, FIRST_TOKEN
from evalsuite.machine import model_size
from evalsuite.results.record import ModelInfo
from evalsuite.runtimes._concurrent import in_order
from evalsuite.task import CHOICE, SPAN_ENDS

if TYPE_CHECKING:
    import numpy as np

Feeds = dict[str, "np.ndarray"]

AHEAD = 2  # batches a thread: the one it runs, and the one it runs next
_ENDS = ("start_logits", "end_logits")


def read_card(directory: Path, runtime: str) -> dict[str, Any] | None:
    """`bundle.json` of a bundle for this runtime; None for anything else."""
    try:
        card: dict[str, Any] = json.loads((directory / BUNDLE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return card if card.get("runtime") == runtime else None


def check_files(directory: Path, card: dict[str, Any]) -> None:
    """Hold a bundle's files to the sizes it was made with; their digests are in `SHA256SUMS`.

    Raises:
        ModelError: one is gone or has another size.
    """
    for name, size in card.get("bytes", {}).items():
        path = directory / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            there = "is not there" if found is None else f"has {found:,} bytes"
            raise ModelError(
                f"{directory} is not whole: {name} {there}, it was made with {size:,}\n"
                f"copy it again; to check every file: cd {directory} && sha256sum -c SHA256SUMS"
            )


def default_outputs(card: dict[str, Any]) -> tuple[str, ...]:
    """The graph's outputs most uses want: the head's, or an encoder's last hidden states."""
    labels = tuple(card["labels"])
    if not labels:
        return (f"hidden_states.{card['layers']}",)
    return _ENDS if labels == SPAN_ENDS else ("logits",)


class BundlePredictor(ABC):
    """A bundle as a `Predictor`; a runtime adds how it computes, and may have a `batching` of its
    own.

    Attributes:
        beside: whether it is open for batches beside each other. A bundle is open in one way at a
            time, so that it is held in memory once; `each` opens it for that when there are enough
            batches, `__call__` opens it back.
    """

    batching = ON_CPU

    def __init__(
        self, directory: Path, card: dict[str, Any], outputs: set[str], precision: str, threads: int
    ) -> None:
        self.directory = directory
        self.card = card
        self.labels = tuple(card["labels"])
        self.layers = int(card["layers"])
        self.max_length = int(card["max_length"])
        self.precision = precision
        self.threads = threads
        self.device = "cpu"
        self.shortened = card.get("last_layer") == FIRST_TOKEN
        self.beside = False
        self._outputs = outputs
        self._choices = self.labels == CHOICE

    @abstractmethod
    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs of the graph, fp32, in this order; on all threads."""

    @abstractmethod
    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """The same on one thread: begins it, and returns what waits for it. At most `AHEAD` a
        thread are begun."""

    @abstractmethod
    def reopen(self, beside: bool) -> None:
        """Open it for `start`, or back for `compute`."""

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        self._open(beside=False)
        values = self.compute(self._names(wanted), self._feeds(input_ids, attention_mask))
        return self._named(wanted, values)

    def each(
        self, batches: Iterable[tuple[np.ndarray, np.ndarray]], wanted: tuple[str, ...]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Run many padded batches in order, beside each other unless there are few of them."""
        waiting = iter(batches)
        if not self.beside:
            first = list(islice(waiting, ENOUGH * self.threads))
            waiting = chain(first, waiting)
            if self.threads == 1 or len(first) < ENOUGH * self.threads:
                for ids, mask in waiting:
                    yield self(ids, mask, wanted)
                return
        self._open(beside=True)
        names = self._names(wanted)
        started = in_order(
            lambda batch: self.start(names, self._feeds(*batch)), waiting, AHEAD * self.threads
        )
        for values in started:
            yield self._named(wanted, values)

    def _open(self, beside: bool) -> None:
        if beside != self.beside:
            self.reopen(beside)
            self.beside = beside

    def _names(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """What the graph calls what is wanted: it gives the two ends of a span apart, as optimum
        reads them."""
        names = tuple(wanted)
        if "logits" in wanted and self._outputs.issuperset(_ENDS):
            names = (*_ENDS, *(name for name in wanted if name != "logits"))
        missing = set(names) - self._outputs
        if missing:
            last = self.shortened and f"hidden_states.{self.layers}" in missing
            raise ModelError(
                f"{self.directory} does not give {', '.join(sorted(missing))}; "
                f"it gives {', '.join(sorted(self._outputs))}"
                + ("\nto have the last layer's, export with last_layer: whole" if last else "")
            )
        return names

    def _feeds(self, input_ids: np.ndarray, attention_mask: np.ndarray) -> Feeds:
        if self._choices:  # the graph takes `[batch, choices, tokens]`; rows of one choice each
            input_ids, attention_mask = input_ids[:, None], attention_mask[:, None]
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def _named(
        self, wanted: tuple[str, ...], values: Sequence[np.ndarray]
    ) -> dict[str, np.ndarray]:
        import numpy as np

        found = dict(zip(self._names(wanted), values, strict=True))
        if len(found) > len(wanted):
            found["logits"] = np.stack([found.pop(name) for name in _ENDS], -1)
        return found

    def describe(self, label: str) -> ModelInfo:
        """What the model is: digest, parameters, bytes, precision."""
        model_bytes, tokenizer_bytes = model_size.sizes(self.directory)
        return ModelInfo(
            label=label,
            digest=model_size.digest(self.directory),
            architecture=self.card["architecture"],
            runtime=self.card["runtime"],
            precision=self.precision,
            parameters=self.card["parameters"],
            embedding_parameters=self.card["embedding_parameters"],
            bytes=model_bytes,
            tokenizer_bytes=tokenizer_bytes,
        )
