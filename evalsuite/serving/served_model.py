"""An open model that answers rows of one kind.

>>> model = ServedModel("xnli", Path("int8"))
>>> model.kind
'predict'
>>> model.answer([model.row(["A man sleeps.", "Nobody is awake."])])
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evalsuite.inference.answers import Head, head_for
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import CONCURRENT_FROM, Staged, answered, in_language
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


@dataclass(frozen=True, slots=True)
class _InLanguage:
    """A row whose language is known."""

    row: Any
    language: str


class ServedModel:
    """A checkpoint or bundle under a name.

    Args:
        threads: that it computes on; default all cores.
        alone: each row is a batch by itself, so that its answer depends on no other row.

    Attributes:
        kind: of the requests that it answers.
        prefix: that it declares; put before texts whose request names none. Of vectors only.
        width: of a vector; None where it has a head.
        members: names of the models of a cascade; empty for others.
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
        self.members = self.predictor.names if isinstance(self.predictor, Staged) else ()
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
        self.answered_by()  # of no client
        self.card = self._card()

    def row(self, texts: Sequence[str], language: str | None = None) -> Any:
        """The row of one input, as `answer` takes it.

        Args:
            language: of the texts, for a cascade.
        """
        if self.kind == "embeddings":
            return texts[0]
        row = self._head.example(texts)
        return row if language is None else _InLanguage(row, language)

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
        if not self.members:
            return list(self._head.answers(self._session, rows))
        try:
            return self._answer_by_language(rows)
        except Exception:
            self.answered_by()  # the rows run again alone, and count then
            raise

    def _answer_by_language(self, rows: Sequence[Any]) -> list[Any]:
        """The answers of a cascade, whose thresholds depend on the language."""
        found: list[Any] = [None] * len(rows)
        groups: dict[str | None, list[int]] = {}
        for number, row in enumerate(rows):
            groups.setdefault(row.language if isinstance(row, _InLanguage) else None, []).append(
                number
            )
        for language, numbers in groups.items():
            in_language(self.predictor, language)
            some = [rows[number] for number in numbers]
            some = [row.row if isinstance(row, _InLanguage) else row for row in some]
            for number, answer in zip(
                numbers, self._head.answers(self._session, some), strict=True
            ):
                found[number] = answer
        return found

    def answered_by(self) -> dict[str, int]:
        """Member of a cascade -> rows that it answered, since the last call; empty for others."""
        return answered(self.predictor) if isinstance(self.predictor, Staged) else {}

    def _card(self) -> dict[str, Any]:
        model = self.predictor.describe(self.name)
        card: dict[str, Any] = {"kind": self.kind, "labels": list(self.predictor.labels)}
        if self.kind == "embeddings":
            card = {"kind": self.kind, "width": self.width, "prefix": self.prefix}
        if self.members:
            card["members"] = list(self.members)
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
