"""What the bundles of all runtimes share: their card, their outputs, and many batches in order.

>>> card = read_card(Path("student-int8"), "onnxruntime")
>>> card["precision"], card["labels"]
('int8', ['entailment', 'neutral', 'contradiction'])

A graph takes `input_ids` and `attention_mask` and gives `logits` (a model of spans `start_logits`
and `end_logits`) and `hidden_states.<k>` (the last one not where the card says `last_layer:
first-token`); a runtime only has to run it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.inference.batching import ON_CPU
from evalsuite.inference.checkpoint_config import FIRST_TOKEN, Answers
from evalsuite.inference.open_model import BUNDLE_FILE
from evalsuite.inference.predictor import CONCURRENT_FROM
from evalsuite.machine import model_size
from evalsuite.opening.validated import BundleFile, read_json
from evalsuite.results.record import ModelInfo
from evalsuite.runtimes._concurrent import in_order
from evalsuite.task import CHOICE, SPAN_ENDS

if TYPE_CHECKING:
    import numpy as np

Feeds = dict[str, "np.ndarray"]

AHEAD = 2  # batches per thread: the one it runs, and the next
_ENDS = ("start_logits", "end_logits")


def read_card(directory: Path, runtime: str | None = None) -> dict[str, Any] | None:
    """`bundle.json` of a bundle for this runtime, or for any; None for anything else.

    Raises:
        ModelError: it is not the card of a bundle.
    """
    try:
        card = read_json(directory / BUNDLE_FILE, BundleFile, "copy the bundle again")
    except FileNotFoundError:
        return None
    return card if runtime in (None, card["runtime"]) else None


def check_files(directory: Path, card: dict[str, Any]) -> None:
    """Compare the sizes of a bundle's files with those in its card.

    Raises:
        ModelError: a file is missing or has another size.
    """
    for name, size in card.get("bytes", {}).items():
        path = directory / name
        actual = path.stat().st_size if path.is_file() else None
        if actual != size:
            state = "is missing" if actual is None else f"has {actual:,} bytes"
            raise ModelError(
                f"{directory} is incomplete: {name} {state}, its card says {size:,} bytes\n"
                f"copy it again; to check every file: cd {quote(str(directory))} && "
                "sha256sum -c SHA256SUMS"
            )


def default_outputs(card: dict[str, Any]) -> tuple[str, ...]:
    """The outputs that most uses need: the head's, or an encoder's last hidden states."""
    labels = tuple(card["labels"])
    if not labels:
        return (f"hidden_states.{card['layers']}",)
    return _ENDS if labels == SPAN_ENDS else ("logits",)


class BundlePredictor(ABC):
    """A bundle as a `Predictor`. A runtime adds how it computes, and can set its own `batching`.

    Attributes:
        concurrent: whether it is open for several batches at the same time. A bundle is open in
            one way at a time, so that it is in memory once: `run_batches` opens it for concurrent
            batches where there are enough of them, `__call__` opens it for single batches again.
    """

    batching = ON_CPU

    def __init__(
        self, directory: Path, card: dict[str, Any], outputs: set[str], precision: str, threads: int
    ) -> None:
        self.directory = directory
        self.card = card
        self.labels = tuple(card["labels"])
        self.answers: Answers = card.get("answers", "label")
        self.layers = int(card["layers"])
        self.max_length = int(card["max_length"])
        self.precision = precision
        self.threads = threads
        self.device = "cpu"
        self.shortened = card.get("last_layer") == FIRST_TOKEN
        self.concurrent = False
        self._outputs = outputs
        self._choices = self.labels == CHOICE

    @abstractmethod
    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs of the graph, fp32, in this order; on all threads."""

    @abstractmethod
    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Start the same on one thread; returns the function that waits for the outputs.

        At most `AHEAD` batches per thread are started and not yet waited for.
        """

    @abstractmethod
    def reopen(self, concurrent: bool) -> None:
        """Open it for `start`, or again for `compute`."""

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        self._open(concurrent=False)
        values = self.compute(self._names(wanted), self._feeds(input_ids, attention_mask))
        return self._named(wanted, values)

    def run_batches(
        self, batches: Iterable[tuple[np.ndarray, np.ndarray]], wanted: tuple[str, ...]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Run padded batches in order, several at the same time unless there are few."""
        waiting = iter(batches)
        if not self.concurrent:
            first = list(islice(waiting, CONCURRENT_FROM * self.threads))
            waiting = chain(first, waiting)
            if self.threads == 1 or len(first) < CONCURRENT_FROM * self.threads:
                for ids, mask in waiting:
                    yield self(ids, mask, wanted)
                return
        self._open(concurrent=True)
        names = self._names(wanted)
        started = in_order(
            lambda batch: self.start(names, self._feeds(*batch)), waiting, AHEAD * self.threads
        )
        for values in started:
            yield self._named(wanted, values)

    def _open(self, concurrent: bool) -> None:
        if concurrent != self.concurrent:
            self.reopen(concurrent)
            self.concurrent = concurrent

    def _names(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The graph's names of the wanted outputs; the two ends of a span are two outputs there,
        as optimum reads them."""
        names = tuple(wanted)
        if "logits" in wanted and self._outputs.issuperset(_ENDS):
            names = (*_ENDS, *(name for name in wanted if name != "logits"))
        missing = set(names) - self._outputs
        if missing:
            last = self.shortened and f"hidden_states.{self.layers}" in missing
            fewer = bool(self.card.get("keep_tokens"))
            raise ModelError(
                f"{self.directory} has no output {', '.join(sorted(missing))}; "
                f"it has {', '.join(sorted(self._outputs))}"
                + ("\nfor all layers', export without keep_tokens" if fewer else "")
                + ("\nfor the last layer's, export with last_layer: whole" if last else "")
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
