"""An open model that answers rows of one kind.

>>> model = ServedModel("xnli", Path("int8"))
>>> model.kind
'predict'
>>> model.answer([model.row(["A man sleeps.", "Nobody is awake."])])
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from evalsuite.inference.answers import Head, head_for
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import CONCURRENT_FROM
from evalsuite.inference.session import Session
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.retrieval.sentence_embedder import SentenceEmbedder
from evalsuite.task import TagExample

Kind = Literal["predict", "tags", "answers", "choices", "embeddings"]
_KINDS: dict[str | None, Kind] = {
    "pair": "predict",
    "tagging": "tags",
    "span": "answers",
    "choice": "choices",
    None: "embeddings",
}


class ServedModel:
    """A checkpoint or bundle under a name.

    Args:
        threads: that it computes on; default all cores.
        alone: each row is a batch by itself, so that its answer depends on no other row.

    Attributes:
        kind: of the requests that it answers.
        prefix: that it declares; put before texts whose request names none. Of vectors only.
        width: of a vector; None where it has a head.
        card: what a client may want to know about it.

    Raises:
        ModelError: it cannot be opened, or not for this.
    """

    def __init__(
        self, name: str, directory: Path, threads: int | None = None, *, alone: bool = False
    ) -> None:
        head = head_of(model_config(directory))
        self.name, self.directory = name, directory
        self.kind = _KINDS[head]
        self.predictor = open_model(directory, threads)
        self.prefix = ""
        self.width: int | None = None
        if head is None:
            self.prefix = declared_by(directory).prefix
            self._embed = SentenceEmbedder(directory, "", alone=alone, predictor=self.predictor)
            self.width = self._embed.width
            self._session = self._embed.session
        else:
            self._head: Head = head_for(directory)
            self._session = Session(self.predictor, 1 if alone else None)
        self._warm_up()
        self.card = self._card()

    def row(self, texts: Sequence[str]) -> Any:
        """The row of one input, as `answer` takes it."""
        return texts[0] if self.kind == "embeddings" else self._head.example(texts)

    def row_of_words(self, words: Sequence[str]) -> TagExample:
        """The row of a sentence that is split into words already; of a tagger."""
        return TagExample("", tuple(words), ())

    def answer(self, rows: Sequence[Any]) -> list[Any]:
        """One answer per row, in order: what the head gives, or a vector with its number of tokens.

        Raises:
            NotFiniteError: outputs are NaN or infinite.
        """
        if self.kind == "embeddings":
            vectors, tokens = self._embed.counted(rows)
            return list(zip(vectors, tokens, strict=True))
        return list(self._head.answers(self._session, rows))

    def _card(self) -> dict[str, Any]:
        model = self.predictor.describe(self.name)
        card: dict[str, Any] = {"kind": self.kind, "labels": list(self.predictor.labels)}
        if self.kind == "embeddings":
            card = {"kind": self.kind, "width": self.width, "prefix": self.prefix}
        return card | {
            "runtime": model.runtime,
            "precision": model.precision,
            "architecture": model.architecture,
            "max_tokens": self.predictor.max_length,
            "digest": model.digest,
        }

    def _warm_up(self) -> None:
        """Run as many batches as open a bundle for several at the same time, and stay so.

        Otherwise it would be opened anew under the first load.
        """
        usual, self._session.max_tokens = self._session.max_tokens, 1
        texts = ["a"] * max(1, self._least())
        self.answer([self.row(texts)] * (CONCURRENT_FROM * self.predictor.threads))
        self._session.max_tokens = usual

    def _least(self) -> int:
        return 1 if self.kind == "embeddings" else self._head.least
