"""The models that each stage is given, as far as they are known before anything runs.

>>> for stage, inputs, lacking in planned_inputs(plan):
...     print(stage.label, inputs["model"][0].shape().layers, lacking)
student 6

Weights are never read: of a model from outside the recipe `config.json` is enough. A stage's file
says what model it gives where that is another than it was given (`planned`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalsuite.errors import EvalsuiteError
from evalsuite.home_path import home_path
from evalsuite.inference.checkpoint_config import head_of, labels_of, read_config
from evalsuite.inference.task_head import head_of_task
from evalsuite.opening.validated import adapter_config
from evalsuite.plain_config import plain_config
from recipes.errors import is_persons, is_refusal
from recipes.planning.external_models import External
from recipes.planning.planned import Plan, Planned
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.planned_text import PlannedText
from transfer.find_task import find_task

_MODELS = ("checkpoint", "adapter", "prompt", "bundle", "cascade")
Models = dict[str, PlannedModel | None]  # by label
Inputs = Mapping[str, tuple[PlannedModel, ...]]  # by role


def planned_inputs(
    plan: Plan,
    text: PlannedText | None = None,
    refused: list[tuple[Planned, Exception]] | None = None,
) -> Iterator[tuple[Planned, Inputs, str]]:
    """Each stage with its models by role, and the label of the first that is not known, if any.

    Args:
        text: of the source, where sizes that follow from it are wanted too.
        refused: gets the stages whose models cannot be of the size that is asked for, and why.
    """
    models: Models = {label: _external(model) for label, model in plan.externals.items()}
    kinds = {label: artifact.kind for label, artifact in plan.artifacts().items()}
    for stage in plan.stages:
        inputs = {
            role: tuple(model for label in labels if (model := models.get(label)) is not None)
            for role, labels in stage.inputs.items()
        }
        needed = [label for label in stage.needs() if kinds[label] in _MODELS]
        lacking = next((label for label in needed if models.get(label) is None), "")
        models[stage.label] = None
        if not lacking:
            try:
                models[stage.label] = _given(stage, inputs, text)
            except Exception as error:
                if not is_persons(error):
                    raise
                lacking = stage.label  # what is no refusal is said where the stage runs
                if refused is not None and is_refusal(error):
                    refused.append((stage, error))
        yield stage, inputs, lacking


def refused_sizes(plan: Plan) -> list[tuple[Planned, Exception]]:
    """The stages whose models cannot be of the size that is asked for, and why.

    >>> [(stage.name, str(error)) for stage, error in refused_sizes(plan)]
    [('student', 'layers: 40: the teacher has 9; ask for 1 to 9')]
    """
    refused: list[tuple[Planned, Exception]] = []
    for _ in planned_inputs(plan, refused=refused):
        pass
    return refused


def _given(stage: Planned, inputs: Inputs, text: PlannedText | None) -> PlannedModel | None:
    """The model that a stage gives, with the head of its task."""
    if stage.artifact.kind not in _MODELS:
        return None
    planned = getattr(stage.module, "planned", None)
    counted = getattr(stage.module, "planned_from_text", None)
    first = next((models[0] for models in inputs.values() if models), None)
    given = planned(stage.config, inputs) if planned else first
    if counted is not None and text is not None:
        given = counted(stage.config, inputs, text)
    if given is None:
        return None
    if given.tokenizer is None and first is not None:
        given = replace(given, tokenizer=first.tokenizer)
    if stage.artifact.task is None or given.bundle is not None:
        return given
    task, held = find_task(stage.artifact.task), stage.artifact.adapter
    found = replace(given, head=head_of_task(task), labels=len(task.labels) or given.labels)
    if held is not None and stage.artifact.kind == "adapter":
        return replace(found, precision=held.precision, embeddings=held.embeddings)
    return replace(found, precision="fp32", embeddings="fp32")


def _external(model: External) -> PlannedModel | None:
    """Of a model from outside; None where its config is not there, or of no known family."""
    directory = model.config_directory()
    if directory is None or model.artifact.kind in ("bundle", "cascade"):
        return None
    try:
        return _read(directory)
    except EvalsuiteError:  # said where the stage checks it
        return None


def _read(directory: Path) -> PlannedModel | None:
    if (directory / "adapter_config.json").is_file():
        base = home_path(str(adapter_config(directory).get("base_model_name_or_path")))
        return _read(base) if (base / "config.json").is_file() else None
    raw = read_config(directory)
    config = plain_config(raw)
    head = head_of(raw)
    stored = str(raw.get("dtype") or raw.get("torch_dtype") or "float32")
    precision: Any = "bf16" if stored.endswith("bfloat16") else "fp32"
    return PlannedModel(config, head, len(labels_of(raw)) or 2, precision, tokenizer=directory)
