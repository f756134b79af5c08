"""Queries against one pool of candidates: LAReQA and Mewsli-X.

Query and candidate are embedded by the same encoder, each alone, and compared by cosine. Layer and
pooling are part of every score, as for Tatoeba.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.data.ranking import Searched
from evalsuite.errors import DataError
from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.formats import _agreement
from evalsuite.inference.encoded import Encoded
from evalsuite.retrieval.embedding import rank
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.submission import layouts
from evalsuite.task import MatchExample, QueryExample

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUFFIX = "json"  # of prediction files
HEAD = None  # embeddings are scored
ANSWERS = "label"
ARCHITECTURE = None
FIXED_LABELS = ()
to_text, read_file = layouts.rankings_to_text, layouts.read_rankings
READS = "ranking"  # the kind of answer its rows hold
ALSO = ()  # nothing is scored next to each task's main metric
TWO_TEXTS = False  # whether a row is read as two texts at once
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
    assert isinstance(task, Searched)
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


def gold(examples: Sequence[QueryExample]) -> list[tuple[str, ...]]:
    """Ids of the relevant candidates of each query."""
    return [example.relevant for example in examples]


def agreement(first: Sequence[list[str]], second: Sequence[list[str]]) -> float:
    """Percent of queries with the same first candidate."""
    return _agreement.equal([row[0] for row in first], [row[0] for row in second])
