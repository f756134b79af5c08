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
from evalsuite.retrieval.cosine import nearest
from evalsuite.retrieval.ratio_margin import Margins
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.submission import layouts
from evalsuite.task import ParallelExample

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
HEAD = None  # embeddings are scored
ANSWERS = "label"
ARCHITECTURE = None
FIXED_LABELS = ()
to_text, read_file = layouts.one_per_line, layouts.read_rows
READS = "index"  # the kind of answer its rows hold
ALSO = ()  # nothing is scored next to each task's main metric
TWO_TEXTS = False  # whether a row is read as two texts at once
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


def gold(examples: Sequence[ParallelExample]) -> list[int]:
    """Each row's own number: its translation is the English row of the same number."""
    return list(range(len(examples)))
