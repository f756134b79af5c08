"""Sentences of one corpus, and which sentence of another each translates, if any: BUCC 2018.

A prediction is the id of a sentence of the English side, or None. Precision and recall are of
pairs, so that a row without a partner counts only where one was predicted for it. Layer and pooling
are part of every score, as for Tatoeba, and so is what the threshold was fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.data.mining import MiningTask
from evalsuite.errors import DataError
from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.inference.encoded import Encoded
from evalsuite.retrieval.bitext_mining import Corpora, mine
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.submission import layouts
from evalsuite.task import Example, MiningExample, Split

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUFFIX = "tsv"  # of prediction files
HEAD = None  # embeddings are scored
ANSWERS = "label"
ARCHITECTURE = None
FIXED_LABELS = ()
READS = "pairs"  # the kind of answer its rows hold
ALSO = ()  # nothing is scored next to each task's main metric
TWO_TEXTS = False  # whether a row is read as two texts at once
to_text, read_file = layouts.pairs_to_text, layouts.read_pairs


def encode(
    tokenizer: Tokenizer, examples: Sequence[MiningExample], max_length: int
) -> list[Encoded]:
    """The foreign sides: `<s> sentence </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.foreign for example in examples], max_length)


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """Id of the English sentence that each foreign one translates, or None.

    Raises:
        DataError: no row has a translation.
    """
    task, split = evaluation.task, evaluation.split
    assert isinstance(task, MiningTask)
    embed = evaluation.embedder()
    for language, examples in evaluation.by_language():
        corpora = fitted = _corpora(evaluation, task, split, language, examples)
        if split != task.fitted_on:
            labelled = evaluation.load(task.fitted_on, language)
            evaluation.add_to_digest(labelled)
            fitted = _corpora(evaluation, task, task.fitted_on, language, labelled)
        predictions, threshold = mine(embed, corpora, fitted)
        candidates = len(corpora.english)
        yield Predicted(language, examples, predictions, candidates=candidates, threshold=threshold)


def _corpora(
    evaluation: Evaluation,
    task: MiningTask,
    split: Split,
    language: str,
    rows: Sequence[Example],
) -> Corpora:
    """Both sides; the English one is added to the evaluation's digest."""
    foreign = [row for row in rows if isinstance(row, MiningExample)]
    if not any(row.partners for row in foreign):
        raise DataError(
            f"{task.name} {language}: none of {len(foreign)} {split} rows has a translation; "
            "take more rows (max_examples)"
        )
    english = task.candidates(evaluation.source, split, language)
    return Corpora(foreign, list(evaluation.digested(english)))


def scoring(margin: bool) -> Literal["margin"]:
    """How neighbours are compared: pairs are mined by margin, whatever is asked for."""
    return "margin"


def gold(examples: Sequence[MiningExample]) -> list[tuple[str, ...]]:
    """Ids of the translations of each sentence, often none."""
    return [example.partners for example in examples]


def align(predictions: Any, ids: Sequence[str]) -> list[str | None] | None:
    """The partner or None for each id; None where the predictions are not of these rows."""
    partners = dict(predictions)
    return [partners.get(id) for id in ids] if set(partners) <= set(ids) else None


def agreement(first: Sequence[str | None], second: Sequence[str | None]) -> float:
    """Pairs that both have, compared with those that either has: F1 of one against the other."""
    pairs = list(zip(first, second, strict=True))
    both = sum(a == b and a is not None for a, b in pairs)
    either = sum((a is not None) + (b is not None) for a, b in pairs)
    return 100.0 * 2 * both / either if either else 100.0
