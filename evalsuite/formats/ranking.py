"""Queries against one pool of candidates: LAReQA and Mewsli-X.

Query and candidate are embedded by the same encoder, each alone, and compared by cosine. Layer and
pooling are part of every score, as for Tatoeba.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.data.ranking import RankingTask
from evalsuite.errors import DataError
from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.formats import _agreement
from evalsuite.inference.encoded import Encoded
from evalsuite.metrics import ranking
from evalsuite.metrics.ranking import average_precision, ranking_scores
from evalsuite.retrieval.embedding import rank
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.submission import layouts
from evalsuite.task import MatchExample, QueryExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "json"  # of prediction files
ARCHITECTURE = None  # embeddings are scored, no head
FIXED_LABELS = ()
to_text, read_file = layouts.rankings_to_text, layouts.read_rankings
align = _agreement.align_by_id


def encode(
    tokenizer: Tokenizer, examples: Sequence[QueryExample | MatchExample], max_length: int
) -> list[Encoded]:
    """The queries: `<s> query </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.query for example in examples], max_length)


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """Ids of the nearest candidates of each query, the best first.

    Raises:
        DataError: the training split is asked for; its rows have no pool of candidates.
    """
    task = evaluation.task
    assert isinstance(task, RankingTask)
    if evaluation.split == "train":
        raise DataError(
            f"{task.name}: the train rows have no pool of candidates; score another split"
        )
    pool = evaluation.digested(task.candidates(evaluation.source, evaluation.split))
    ranked, candidates = rank(
        evaluation.embedder(), task, evaluation.rows, pool, evaluation.progress
    )
    for language, examples in evaluation.by_language():
        yield Predicted(language, examples, ranked[language], candidates=candidates)


def scoring(margin: bool) -> Literal["cosine"]:
    """How neighbours are compared; there is no margin in a pool of all languages."""
    return "cosine"


def chance(
    task: Task, language: str, examples: Sequence[QueryExample], candidates: int = 0
) -> float:
    """A random order of the candidates."""
    counts = [len(example.relevant) for example in examples]
    return sum(ranking.chance(count, candidates) for count in counts) / len(counts)


def parts(
    task: Task, language: str, examples: Sequence[QueryExample], predictions: Sequence[list[str]]
) -> np.ndarray:
    """Average precision of each query."""
    import numpy as np

    rows = zip(examples, predictions, strict=True)
    return np.array([(average_precision(e.relevant, ids), 1) for e, ids in rows], dtype=float)


def score(
    task: Task, language: str, examples: Sequence[QueryExample], predictions: Sequence[list[str]]
) -> dict[str, float]:
    """Mean average precision of the first twenty candidates."""
    return ranking_scores([example.relevant for example in examples], predictions)


def agreement(first: Sequence[list[str]], second: Sequence[list[str]]) -> float:
    """Percent of queries with the same first candidate."""
    return _agreement.equal([row[0] for row in first], [row[0] for row in second])
