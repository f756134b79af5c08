"""Sentence vectors as a checkpoint declares them: prompt, pooling, length 1.

>>> embed = SentenceEmbedder(Path("e5-small"), prefix="query: ")
>>> embed(["Das Haus ist rot."]).shape
(1, 384)

`evalsuite.retrieval.declared_vectors` reads the declaration. Vectors have length 1 in any case,
also where only their first numbers are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.evaluation import absolute_layer
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.retrieval.cosine import unit
from evalsuite.retrieval.declared_vectors import declared_by, prompt_of
from evalsuite.retrieval.embedding import Embedder

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor


class OneText:
    """The text of a row: a sentence."""

    columns = (("text",), ("sentence",))
    least = most = 1

    def split(self, line: str) -> list[str]:
        """The whole line; tabs are spaces of it."""
        return [line]

    def named(self, texts: Sequence[str]) -> dict[str, Any]:
        """Kept as `text`."""
        return {"text": texts[0]}


class SentenceEmbedder:
    """A model that turns sentences into vectors.

    Args:
        prefix: put before each text; default what the model declares.
        layer: negative counts from the last; default the last.
        prompt: name of a prefix that the model declares, such as `query` or `passage`.
        dimensions: keep the first numbers of each vector only, this many.
        alone: each sentence is a batch by itself.
        predictor: the model, where it is open already.

    Attributes:
        width: of a vector.
        session: the open model.

    Raises:
        ModelError: the model cannot be opened, declares vectors that are made in another way, has
            no such prompt, or its vectors are shorter than `dimensions`.
    """

    def __init__(
        self,
        directory: Path,
        prefix: str | None = None,
        layer: int | None = None,
        *,
        prompt: str | None = None,
        dimensions: int | None = None,
        alone: bool = False,
        predictor: Predictor | None = None,
    ) -> None:
        declared = declared_by(directory)
        before = prompt_of(directory, declared, prompt) if prompt else declared.prefix
        predictor = predictor or open_model(directory)
        self.prefix = before if prefix is None else prefix
        self.session = Session(predictor, 1 if alone else None)
        self._embed = Embedder(
            self.session,
            absolute_layer(predictor.layers, -1 if layer is None else layer),
            declared.pooling,
            prefix=self.prefix,
            dimensions=dimensions,
            longest=declared.longest,
        )
        self.width = int(self(["a"]).shape[1])

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        """`[sentences, width]`, float32, each of length 1."""
        return self.counted(sentences)[0]

    def counted(self, sentences: Sequence[str]) -> tuple[np.ndarray, list[int]]:
        """The same, and how many tokens each sentence has, prefix and special ones included."""
        vectors, tokens = self._embed.counted(sentences)
        return unit(vectors).astype("float32", copy=False), tokens
