"""What is known of the head of a model from outside before it is opened.

>>> of_checkpoint({"architectures": ["BertForTokenClassification"], "id2label": {"0": "O"}})
HeadFacts(format='tagging', labels=('O',), answers='label', size=1)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from evalsuite.home_path import home_path
from evalsuite.inference.checkpoint_config import answers_of, head_of, labels_of, read_config
from evalsuite.inference.task_head import head_of_task, suits
from evalsuite.opening.adapter import WEIGHTS
from evalsuite.opening.weight_files import file_shapes
from evalsuite.own.declared import declared
from evalsuite.task import Format
from recipes.stages._shared.contract import HeadFacts

# peft's names of tasks, and the output layers of their heads.
_FORMATS: dict[str, Format] = {
    "SEQ_CLS": "pair",
    "TOKEN_CLS": "tagging",
    "QUESTION_ANS": "span",
}
_OUTPUTS = ("classifier.out_proj.weight", "classifier.weight", "qa_outputs.weight")


def of_checkpoint(config: Mapping[str, Any]) -> HeadFacts:
    """Of `config.json`; labels that it does not name are not known."""
    told = dict(config)
    format = head_of(told)
    labels = labels_of(told) if format else ()
    if not labels:
        return HeadFacts(cast("Format | None", format))
    return HeadFacts(cast(Format, format), labels, answers_of(told), len(labels))


def of_adapter(path: Path, config: Mapping[str, Any]) -> HeadFacts | None:
    """Of an adapter made elsewhere: its format by peft's task type, its labels by its base.

    None where the task type says nothing.
    """
    kind = config.get("task_type")
    if kind == "FEATURE_EXTRACTION":
        return HeadFacts(None)
    if kind not in _FORMATS:
        return None
    shapes = file_shapes(path / WEIGHTS)
    rows = [shape[0] for name, shape in shapes.items() if name.endswith(_OUTPUTS)]
    size = rows[0] if len(rows) == 1 else None
    base = home_path(config["base_model_name_or_path"])
    if (base / "config.json").is_file():
        of_base = of_checkpoint(read_config(base))
        if of_base.format == _FORMATS[kind] and of_base.size in (size, None):
            return of_base
    return HeadFacts(_FORMATS[kind], size=size)


def declared_task(head: HeadFacts | None) -> str | None:
    """The one declared task whose head has the format and labels of this one, by their names."""
    if head is None or not head.labels or head.answers is None:
        return None
    fitting = [
        name
        for name, task in declared().items()
        if head_of_task(task) == head.format and suits(task, head.labels, head.answers)
    ]
    return fitting[0] if len(fitting) == 1 else None
