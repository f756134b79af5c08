"""Predict lines of text with any checkpoint or bundle.

>>> list(predict_lines(Path("int8"), ["A man sleeps.\\tNobody is awake."]))
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from evalsuite import formats, tokenization
from evalsuite.errors import MalformedRowError, ModelError
from evalsuite.run import run
from evalsuite.runtimes import Predictor, head_of, open_model, read_config
from evalsuite.task import PairExample, TagExample

BATCH = 256


def predict_lines(directory: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One mapping a line, in order.

    A pair model takes two sentences separated by a tab and gives `label` and `scores`; a tagger
    takes words separated by spaces and gives `words` and `tags`.

    Raises:
        ModelError: the model has no head.
        MalformedRowError: a line has not the columns the model needs.
    """
    predictor = open_model(directory)
    head = head_of(read_config(directory))
    if head is None:
        raise ModelError(f"{directory} has no task head; predict needs a tuned model")
    predict = _pairs if head == "pair" else _tags
    numbered = enumerate((line.rstrip("\n") for line in lines), 1)
    while batch := list(islice(numbered, BATCH)):
        yield from predict(predictor, batch)


def _pairs(predictor: Predictor, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    import numpy as np

    from evalsuite.formats import pair

    examples = []
    for number, line in lines:
        columns = line.split("\t")
        if len(columns) != 2:
            raise MalformedRowError(
                "input", number, f"{len(columns)} column(s); a pair model needs two, tab-separated"
            )
        examples.append(PairExample(str(number), columns[0], columns[1], None))
    tokenizer = tokenization.load(predictor.directory)
    encoded = pair.encode(tokenizer, examples, predictor.max_length)
    for logits in run(predictor, encoded, "logits", tokenization.pad_id(predictor.directory)):
        shifted = np.exp(logits - logits.max())
        share = shifted / shifted.sum()
        yield {
            "label": predictor.labels[int(logits.argmax())],
            "scores": {
                label: round(float(value), 6)
                for label, value in zip(predictor.labels, share, strict=True)
            },
        }


def _tags(predictor: Predictor, lines: list[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    tagging = formats.get("tagging")
    examples = [TagExample(str(number), tuple(line.split()), ()) for number, line in lines]
    tokenizer = tokenization.load(predictor.directory)
    encoded = tagging.encode(tokenizer, examples, predictor.max_length)
    outputs = run(predictor, encoded, "logits", tokenization.pad_id(predictor.directory))
    tags = tagging.decode(predictor.labels, examples, encoded, outputs)
    for example, predicted in zip(examples, tags, strict=True):
        yield {"words": list(example.words), "tags": predicted}
