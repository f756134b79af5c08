"""A sentence and its translation among all others: Tatoeba.

Layer and pooling are part of every score, because the benchmark's own code is ambiguous about both
(`evalsuite.retrieval.sentences`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.formats import _agreement
from evalsuite.inference.encoded import Encoded
from evalsuite.metrics.chance import one_in
from evalsuite.metrics.retrieval import nearest
from evalsuite.metrics.score import score_retrieval
from evalsuite.retrieval.ratio_margin import Margins
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.submission import layouts
from evalsuite.task import ParallelExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
ARCHITECTURE = None  # embeddings are scored, no head
FIXED_LABELS = ()
to_text, read_file = layouts.one_per_line, layouts.read_rows
align = _agreement.align_in_order
agreement = _agreement.equal


def encode(
    tokenizer: Tokenizer, examples: Sequence[ParallelExample], max_length: int
) -> list[Encoded]:
    """The foreign sides: `<s> sentence </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.foreign for example in examples], max_length)


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """Index of the nearest English sentence of each foreign one."""
    embed = evaluation.embedder()
    for language, examples in evaluation.by_language():
        pairs = [example for example in examples if isinstance(example, ParallelExample)]
        foreign, english = embed([e.foreign for e in pairs]), embed([e.english for e in pairs])
        if evaluation.options.margin:
            indices = Margins.between(foreign, english).nearest()
        else:
            indices = nearest(foreign, english)
        yield Predicted(language, examples, indices.tolist())


def scoring(margin: bool) -> Literal["cosine", "margin"]:
    """How neighbours are compared."""
    return "margin" if margin else "cosine"


def chance(
    task: Task, language: str, examples: Sequence[ParallelExample], candidates: int = 0
) -> float:
    """One in as many as there are rows."""
    return one_in(len(examples))


def parts(
    task: Task, language: str, examples: Sequence[ParallelExample], predictions: Sequence[int]
) -> np.ndarray:
    """Found or not."""
    import numpy as np

    return np.array([(row == found, 1) for row, found in enumerate(predictions)], dtype=float)


def score(
    task: Task, language: str, examples: Sequence[ParallelExample], predictions: Sequence[int]
) -> dict[str, float]:
    """Percent of foreign rows whose nearest English row is their own."""
    return score_retrieval(range(len(examples)), predictions)
