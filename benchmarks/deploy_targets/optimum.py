"""Optimum's classes for ONNX Runtime, with transformers' tokenizer, in their environment."""

from __future__ import annotations

import os
from operator import methodcaller
from typing import Any

TITLE = "optimum, ONNX Runtime"
HEADS = ("pair", "tagging", None)
FORM = "onnxruntime"
SCRIPT = "from benchmarks.deploy_targets import child, optimum; child.serve(optimum.load)"


def command(settings: Any) -> list[str] | None:
    """The interpreter of --python-onnx."""
    return [settings.python_onnx, "-c", SCRIPT] if settings.python_onnx else None


def load(task: dict[str, Any]) -> Any:
    """A row's answer, from one of the ORTModel classes."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import importlib

    from transformers import AutoTokenizer

    classes = importlib.import_module("optimum.onnxruntime")
    kinds = {"pair": "SequenceClassification", "tagging": "TokenClassification"}
    kind = getattr(classes, f"ORTModelFor{kinds.get(task['head'], 'FeatureExtraction')}")
    # Another program's way to open our own bundle; `evalsuite.opening` is not in its environment.
    opened = methodcaller("from_pretrained", task["directory"])
    model, tokenizer = opened(kind), opened(AutoTokenizer)
    longest, names = task["settings"]["maxLength"], task["settings"]["labels"]
    prefix = task["settings"]["prefix"] if task["head"] is None else ""

    def answer(row: Any) -> Any:
        words = isinstance(row, list)
        inputs = tokenizer(
            row if words else prefix + row, is_split_into_words=words, truncation=True,
            max_length=longest, return_tensors="pt",
        )  # fmt: skip
        outputs = model(**inputs)
        if task["head"] is None:
            vector = outputs.last_hidden_state[0].mean(0)
            return (vector / vector.norm()).tolist()
        if not words:
            return names[int(outputs.logits[0].argmax())]
        tags = [task["settings"]["missing"]] * len(row)
        best, seen = outputs.logits[0].argmax(-1).tolist(), set()
        for place, word in enumerate(inputs.word_ids(0)):
            if word is not None and word not in seen:
                seen.add(word)
                tags[word] = names[best[place]]
        return tags

    return answer
