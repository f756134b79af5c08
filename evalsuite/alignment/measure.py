"""Measure several models on the same parallel text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from evalsuite.alignment.measures import cosines, linear_cka, rank_consistency
from evalsuite.errors import DataError, ModelError
from evalsuite.inference.session import Session
from evalsuite.machine import environment
from evalsuite.results.alignment import AlignmentResult, LanguageAlignment
from evalsuite.retrieval.cosine import nearest
from evalsuite.retrieval.embedding import embed_layers
from evalsuite.retrieval.sentences import Pooling
from evalsuite.task import DataSource, ParallelExample, Task

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.predictor import Predictor

FEWEST = 4  # pairs of a language


def measure(
    models: Sequence[tuple[str, Predictor]],
    task: Task,
    source: DataSource,
    *,
    languages: Sequence[str] | None = None,
    pooling: Pooling = "mean",
    max_examples: int | None = None,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> list[AlignmentResult]:
    """One result a model; the first model is what the others are compared with.

    Args:
        models: label and model; all are open at once, one language is held at a time.
        task: one of parallel sentences.
        languages: default all that the source has.

    Raises:
        DataError: the task has no parallel sentences, or a language fewer than four.
        ModelError: a model has no layers.
    """
    if static := [label for label, predictor in models if not predictor.layers]:
        raise ModelError(f"{static[0]} is a static model, which has no layers to compare")
    split = task.eval_split(source)
    chosen = tuple(languages or task.available(source, split))
    sessions = [Session(predictor) for _, predictor in models]
    found: list[dict[str, LanguageAlignment]] = [{} for _ in models]
    data = hashlib.sha256()
    counts = {}
    for done, language in enumerate(chosen):
        pairs = task.load(source, split, language)[:max_examples]
        parallel = [pair for pair in pairs if isinstance(pair, ParallelExample)]
        if len(parallel) < FEWEST:
            raise DataError(
                f"{task.name} {language}: {len(parallel)} parallel sentence(s), "
                f"alignment needs {FEWEST} or more"
            )
        data.update(repr((language, parallel)).encode())
        counts[language] = len(parallel)
        base: np.ndarray | None = None
        for place, ((label, _), session) in enumerate(zip(models, sessions, strict=True)):
            progress((done + place / len(models)) / len(chosen), f"{label}: {language}")
            foreign = embed_layers(session, [pair.foreign for pair in parallel], pooling)
            english = embed_layers(session, [pair.english for pair in parallel], pooling)
            base = foreign if base is None else base
            found[place][language] = _language(foreign, english, base)
    if not chosen:
        raise DataError(f"{task.name} has no {split} rows in the source {source.kind}")
    first = models[0][1].layers
    return [
        AlignmentResult(
            model=predictor.describe(label),
            text=f"{task.name} {split}, {len(chosen)} languages, {sum(counts.values()):,} pairs",
            source=task.kind_of_source(source),
            data_digest=data.hexdigest(),
            pooling=pooling,
            max_examples=max_examples,
            examples=counts,
            base=models[0][0],
            base_layers=tuple(counterpart(k, predictor.layers, first) for k in _all(predictor)),
            languages=own,
            environment=environment.capture(predictor.threads, predictor.device),
        )
        for (label, predictor), own in zip(models, found, strict=True)
    ]


def counterpart(layer: int, layers: int, of: int) -> int:
    """The layer of a model of `of` that lies as deep as `layer` of one of `layers`."""
    return round(layer * of / layers)


def _all(predictor: Predictor) -> range:
    return range(predictor.layers + 1)


def _language(foreign: np.ndarray, english: np.ndarray, base: np.ndarray) -> LanguageAlignment:
    """All of `[layers + 1, sentences, width]`; `base` is the first model's foreign side."""
    import numpy as np

    layers, rows = len(foreign) - 1, np.arange(foreign.shape[1])
    retrieval, near, far, consistency, similarity = [], [], [], [], []
    for k, (there, here) in enumerate(zip(foreign, english, strict=True)):
        retrieval.append(100.0 * float((nearest(there, here) == rows).mean()))
        pairs, others = cosines(there, here)
        near.append(pairs)
        far.append(others)
        consistency.append(rank_consistency(there, here))
        similarity.append(linear_cka(there, base[counterpart(k, layers, len(base) - 1)]))
    return LanguageAlignment(
        retrieval=tuple(retrieval),
        pair_cosine=tuple(near),
        other_cosine=tuple(far),
        rank_consistency=tuple(consistency),
        cka=tuple(similarity),
    )
