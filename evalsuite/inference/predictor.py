"""What every open model can do, whatever runtime runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from evalsuite.errors import ModelError
from evalsuite.languages import is_among, wrong_code

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.batching import Batching
    from evalsuite.inference.checkpoint_config import Answers
    from evalsuite.results.record import ModelInfo

CONCURRENT_FROM = 2  # batches per thread, from which runtimes may run several at the same time


class Predictor(Protocol):
    """A model ready to run.

    Attributes:
        directory: where it was opened from; holds `tokenizer.json` and `config.json`.
        labels: label set in id order, empty for an encoder without a head.
        answers: `label`, one of them per row; `labels`, any of them, each by itself; `score`, a
            number for each.
        layers: number of hidden layers; `hidden_states.0` to `hidden_states.<layers>` exist
            where the runtime gives them.
        max_length: longest sequence it takes, special tokens included.
        precision: `fp32`, `bf16`, `int8`.
    """

    directory: Path
    labels: tuple[str, ...]
    answers: Answers
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

        A runtime may run several at the same time, one thread each, where that is faster; batches
        are then read before their results are taken.
        """
        ...

    def describe(self, label: str) -> ModelInfo:
        """What the model is: digest, parameters, bytes, precision."""
        ...


@runtime_checkable
class Staged(Protocol):
    """A predictor of several members, each of which reads what those before it did not answer.

    Attributes:
        names: of the members.
        languages: that it has thresholds of.
        language: of the rows that come next, None where it is not known; it may be set.
    """

    names: tuple[str, ...]
    languages: tuple[str, ...]
    language: str | None

    def rows_read(self) -> list[Counter[int]]:
        """Since the last call, for each member: tokens of a row -> rows of this length it read."""
        ...


def in_language(predictor: Predictor, language: str | None) -> None:
    """Let a cascade know the language of the rows that come next.

    Raises:
        ModelError: a language is given for a model that answers alike in all of them, or its code
            is none.
    """
    if isinstance(predictor, Staged):
        if language is not None and (wrong := wrong_language(predictor, language)):
            raise ModelError(f"language: {wrong}")
        predictor.language = language
    elif language is not None:
        if wrong := wrong_code(language):
            raise ModelError(f"language: {wrong}")
        raise ModelError(
            f"{predictor.directory} answers alike in all languages; only a cascade has thresholds "
            "of languages: leave the language out"
        )


def wrong_language(staged: Staged, language: str) -> str:
    """What is wrong with a language of rows; empty where nothing is.

    One that there is a threshold of is right, whatever its code: recipes have `cn` and `jp` too.
    """
    return "" if is_among(language, staged.languages) else wrong_code(language)


def answered(staged: Staged) -> dict[str, int]:
    """Member -> rows that it answered, since the last call."""
    read = [counts.total() for counts in staged.rows_read()]
    counts = [more - fewer for more, fewer in pairwise([*read, 0])]
    return dict(zip(staged.names, counts, strict=True))
