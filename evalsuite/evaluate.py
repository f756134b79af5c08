"""Score one model on one task, in every language there is.

>>> result = evaluate(open_model(path), get("xnli"), source, label="student", out=Path("scores"))
>>> result.metrics["accuracy"]["sw"]
61.3

The same code runs over every runtime, so an int8 bundle is scored by exactly what scored the
teacher. Per-example predictions are written in the benchmark's submission layout beside the
scores.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite import environment, formats, submission, tokenization
from evalsuite.errors import DataError, ModelError, UnknownNameError
from evalsuite.formats import retrieval
from evalsuite.metrics import chance
from evalsuite.metrics.retrieval import nearest
from evalsuite.results import TaskResult
from evalsuite.run import run
from evalsuite.task import DataSource, Example, ParallelExample, Split, Task

if TYPE_CHECKING:
    from evalsuite.runtimes import Predictor

SOURCE_LANGUAGE = "en"


def evaluate(
    predictor: Predictor,
    task: Task,
    source: DataSource,
    *,
    label: str,
    out: Path,
    languages: Sequence[str] | None = None,
    split: Split | None = None,
    layer: int | None = None,
    pooling: retrieval.Pooling = "mean",
    max_examples: int | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> TaskResult:
    """Predict and score.

    Args:
        out: directory for the submission layout, `out/<task>/<split>-<lang>.tsv`.
        languages: default all that the source has.
        split: default the first of the task's `eval_splits` that the source has.
        layer: retrieval only; negative counts from the last, default two thirds up.
        max_examples: the first so many rows a language (the result then says how many).

    Raises:
        DataError: rows are absent or malformed.
        ModelError: the model's labels are not the task's.
        UnknownNameError: a language the source does not have.
    """
    started = time.perf_counter()
    split = split or task.eval_split(source)
    available = task.available(source, split)
    for language in languages or ():
        if language not in available:
            raise UnknownNameError(f"language of {task.name} ({split})", language, available)
    chosen = tuple(languages or available)
    if not chosen:
        # Ask for English (or the first language) to raise the error that names the path.
        task.load(source, split, task.languages[0])
        raise DataError(f"{task.name} has no {split} rows in the source {source.kind}")
    if task.format != "retrieval" and set(predictor.labels) != set(task.labels):
        raise ModelError(
            f"{label} predicts {', '.join(predictor.labels) or 'nothing (it has no head)'}; "
            f"{task.name} needs {', '.join(task.labels)}"
        )
    layer = None if task.format != "retrieval" else _layer(predictor, layer)
    metrics: dict[str, dict[str, float]] = {}
    guess: dict[str, float] = {}
    counts: dict[str, int] = {}
    data = hashlib.sha256()
    for done, language in enumerate(chosen):
        progress(done / len(chosen), f"{label}: {task.name} {language}")
        examples = task.load(source, split, language)[:max_examples]
        if not examples:
            raise DataError(f"{task.name} {language}: no rows in its {split} split")
        data.update(repr((language, examples)).encode())
        if layer is None:
            scores, predictions = _supervised(predictor, task, examples)
        else:
            pairs = [example for example in examples if isinstance(example, ParallelExample)]
            scores, predictions = _retrieval(predictor, pairs, layer, pooling)
        for name, value in scores.items():
            metrics.setdefault(name, {})[language] = value
        guess[language] = chance.chance(task, examples)
        counts[language] = len(examples)
        submission.write(out, task.name, language, predictions, split)
    return TaskResult(
        model=predictor.describe(label),
        task=task.name,
        title=task.title,
        main_metric=task.metric,
        metrics=metrics,
        chance=guess,
        examples=counts,
        absent_languages=tuple(sorted(set(task.languages) - set(available) - {SOURCE_LANGUAGE})),
        source=source.kind,
        split=split,
        source_language=SOURCE_LANGUAGE,
        data_digest=data.hexdigest(),
        layer=layer,
        pooling=None if layer is None else pooling,
        seed=seed,
        seconds=time.perf_counter() - started,
        environment=environment.capture(_threads(predictor), _device(predictor)),
    )


def _supervised(
    predictor: Predictor, task: Task, examples: Sequence[Example]
) -> tuple[dict[str, float], list[Any]]:
    """Encode, run, decode, score, by the task's format."""
    module = formats.get(task.format)
    tokenizer = tokenization.load(predictor.directory)
    encoded = module.encode(tokenizer, examples, predictor.max_length)
    outputs = run(predictor, encoded, module.OUTPUT, tokenization.pad_id(predictor.directory))
    if task.format == "tagging":
        predictions = module.decode(predictor.labels, examples, encoded, outputs)
    else:
        predictions = module.decode(predictor.labels, examples, outputs)
    return module.score(task, examples, predictions), predictions


def _retrieval(
    predictor: Predictor,
    examples: Sequence[ParallelExample],
    layer: int,
    pooling: retrieval.Pooling,
) -> tuple[dict[str, float], list[Any]]:
    """Nearest English sentence of each foreign one, by cosine."""
    import numpy as np

    tokenizer = tokenization.load(predictor.directory)
    pad_id = tokenization.pad_id(predictor.directory)

    def embed(sentences: list[str]) -> np.ndarray:
        encoded = retrieval.encode(tokenizer, sentences, predictor.max_length)
        rows = run(
            predictor,
            encoded,
            f"hidden_states.{layer}",
            pad_id,
            lambda hidden, mask: retrieval.pool(hidden, mask, pooling),
        )
        return np.stack(rows)

    found = nearest(embed([e.foreign for e in examples]), embed([e.english for e in examples]))
    hits = int((found == np.arange(len(examples))).sum())
    return {"retrieval_accuracy": 100.0 * hits / len(examples)}, found.tolist()


def _layer(predictor: Predictor, layer: int | None) -> int:
    """Absolute layer; the default is two thirds up, where XLM-R aligns best (8 of 12)."""
    if layer is None:
        return max(1, round(predictor.layers * 2 / 3))
    absolute = layer + predictor.layers + 1 if layer < 0 else layer
    if not 0 <= absolute <= predictor.layers:
        raise ModelError(
            f"layer {layer}: the model has layers 0 (embeddings) to {predictor.layers}"
        )
    return absolute


def _threads(predictor: Predictor) -> int:
    import os

    if hasattr(predictor, "model"):
        import torch

        return int(torch.get_num_threads())
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(predictor: Predictor) -> str:
    model = getattr(predictor, "model", None)
    if model is None or model.device.type == "cpu":
        return "cpu"
    import torch

    return str(torch.cuda.get_device_name(model.device))
