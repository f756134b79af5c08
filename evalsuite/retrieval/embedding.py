"""Sentences as vectors: one layer's hidden states, pooled; and queries ranked by them.

>>> embed = Embedder(Session(open_model(path)), layer=6, pooling="mean")
>>> embed(["Das Haus ist rot."]).shape
(1, 384)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from evalsuite.data.ranking import Searched
from evalsuite.errors import ModelError
from evalsuite.inference.batch_runner import batches
from evalsuite.inference.encoded import rows_cut
from evalsuite.inference.session import Session
from evalsuite.metrics.map_at_20 import CUT
from evalsuite.retrieval import nearest as search
from evalsuite.retrieval.sentences import Pooling, encode_sentences, pool
from evalsuite.task import Candidate, Example, QueryExample

if TYPE_CHECKING:
    import numpy as np

BLOCK = 4096  # candidates embedded and searched at once


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model with what makes a sentence's vector.

    Attributes:
        layer: absolute.
        prefix: put before each text.
        passage_prefix: put before what is searched; None: the prefix of all texts.
        dimensions: keep the first numbers of each vector only; None: all.
        longest: tokens of a text, at most; None: what the model takes.
    """

    session: Session
    layer: int
    pooling: Pooling
    prefix: str = ""
    passage_prefix: str | None = None
    dimensions: int | None = None
    longest: int | None = None

    def __call__(
        self, sentences: Sequence[str], longest: int | None = None, *, passages: bool = False
    ) -> np.ndarray:
        """`[sentences, width]`; each cut at `longest` tokens, or at what the model takes.

        Args:
            passages: the sentences are what is searched, and have `passage_prefix` before them.

        Raises:
            ModelError: its vectors are shorter than `dimensions`.
        """
        return self.counted(sentences, longest, passages=passages)[0]

    def counted(
        self, sentences: Sequence[str], longest: int | None = None, *, passages: bool = False
    ) -> tuple[np.ndarray, list[int]]:
        """The same, and how many tokens each sentence has, special ones included."""
        import numpy as np

        other = passages and self.passage_prefix is not None
        prefix = (self.passage_prefix or "") if other else self.prefix
        limits = (self.session.predictor.max_length, self.longest, longest)
        encoded = encode_sentences(
            self.session.tokenizer,
            [prefix + text for text in sentences] if prefix else sentences,
            min(limit for limit in limits if limit),
        )
        self.session.cut += rows_cut(encoded)
        rows = self.session.run(
            encoded,
            f"hidden_states.{self.layer}",
            lambda hidden, mask: pool(hidden, mask, self.pooling)[:, : self.dimensions],
        )
        found = np.stack(rows)
        if self.dimensions is not None and self.dimensions > found.shape[1]:
            raise ModelError(
                f"dimensions: {self.dimensions} of each vector, but those of "
                f"{self.session.predictor.directory} have {found.shape[1]}"
            )
        return found, [len(item.ids) for item in encoded]


def embed_layers(session: Session, sentences: Sequence[str], pooling: Pooling) -> np.ndarray:
    """`[layers + 1, sentences, width]`: at the embeddings and after every layer, in one pass."""
    import numpy as np

    predictor = session.predictor
    names = tuple(f"hidden_states.{k}" for k in range(predictor.layers + 1))
    encoded = encode_sentences(session.tokenizer, sentences, predictor.max_length)
    found: np.ndarray | None = None
    for batch, mask, hidden in batches(
        predictor, encoded, names, session.pad_id, session.max_tokens
    ):
        pooled = np.stack([pool(hidden[name], mask, pooling) for name in names])
        if found is None:
            found = np.empty((len(names), len(encoded), pooled.shape[-1]), dtype=np.float32)
        found[:, batch] = pooled
    assert found is not None, "no sentences"
    return found


def rank(
    embed: Embedder,
    task: Searched,
    examples: Mapping[str, Sequence[Example]],
    candidates: Iterable[Candidate],
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> tuple[dict[str, list[list[str]]], int]:
    """Ids of the nearest candidates of each query, by language; how many candidates there were.

    Candidates are embedded block by block and not kept, only their ids are.
    """
    queries = {
        language: [example.query for example in rows if isinstance(example, QueryExample)]
        for language, rows in examples.items()
    }
    progress(0.0, f"{task.name}: queries")
    sought = embed(list(chain.from_iterable(queries.values())), task.query_tokens)
    ids: list[str] = []

    def blocks() -> Iterator[np.ndarray]:
        rest = iter(candidates)
        while block := list(islice(rest, BLOCK)):
            progress(0.0, f"{task.name}: {len(ids):,} candidates")
            ids.extend(candidate.id for candidate in block)
            texts = [candidate.text for candidate in block]
            yield embed(texts, task.candidate_tokens, passages=True)

    _, indices = search.nearest(sought, blocks(), CUT)
    rows = iter([[ids[i] for i in row] for row in indices])
    found = {language: [next(rows) for _ in asked] for language, asked in queries.items()}
    return found, len(ids)
