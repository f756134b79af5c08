"""How much memory each stage will take, from the configs of its models and its keys.

>>> found = estimate(plan, machine_memory())
>>> found["adapter"].need.total, found["adapter"].fits
(9123456789, True)

A stage's file says what it holds (`memory`), and what model it gives where that is another than it
was given (`planned`). Weights are never read: of a model from outside the recipe `config.json` is
enough. What is not known ahead has no estimate: bundles, and models of the hub whose `config.json`
is not on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite.errors import EvalsuiteError
from evalsuite.inference.checkpoint_config import head_of, labels_of, read_config
from evalsuite.inference.task_head import head_of_task
from evalsuite.machine.memory import Memory, Place
from evalsuite.opening.validated import adapter_config
from evalsuite.plain_config import plain_config
from recipes.errors import is_persons
from recipes.planning.external_models import External
from recipes.planning.plan import Plan, Planned
from recipes.stages._shared.contract import Artifact, StageConfig
from recipes.stages._shared.planned_model import PlannedModel
from transfer.find_task import find_task

Models = dict[str, PlannedModel | None]  # by label
Inputs = Mapping[str, tuple[PlannedModel, ...]]  # by role


@dataclass(frozen=True, slots=True)
class Estimate:
    """The memory of one stage.

    Attributes:
        less: other values of the stage's keys, and what the stage would take with them.
    """

    need: Memory
    place: Place
    less: tuple[tuple[Mapping[str, Any], Memory], ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the machine has as much; True where it does not say what it has."""
        return self.within(self.need)

    def within(self, need: Memory) -> bool:
        """Whether a need is within the machine's memory."""
        return not self.place.bytes or need.total <= self.place.bytes


def estimate(plan: Plan, place: Place) -> dict[str, Estimate]:
    """The estimate of each stage whose memory is known ahead, by label."""
    models: Models = {label: _external(model) for label, model in plan.externals.items()}
    found: dict[str, Estimate] = {}
    for stage in plan.stages:
        inputs = {
            role: tuple(model for label in labels if (model := models.get(label)) is not None)
            for role, labels in stage.inputs.items()
        }
        models[stage.label] = None
        if not all(models.get(label) is not None for label in stage.needs()):
            continue
        try:
            models[stage.label] = _given(stage, inputs)
            one = _estimate(plan, stage, inputs, place)
        except EvalsuiteError:  # what the models do not allow is said where the stage runs
            continue
        if one is not None:
            found[stage.label] = one
    return found


def _estimate(plan: Plan, stage: Planned, inputs: Inputs, place: Place) -> Estimate | None:
    """Of one stage; None where its file does not say."""
    memory: Callable[..., Memory] | None = getattr(stage.module, "memory", None)
    if memory is None:
        return None
    one = Estimate(memory(stage.config, inputs), place)
    if one.fits:
        return one
    return Estimate(one.need, place, tuple(_less(plan, stage, inputs, memory)))


def _given(stage: Planned, inputs: Inputs) -> PlannedModel | None:
    """The model that a stage gives, with the head of its task."""
    if stage.artifact.kind not in ("checkpoint", "adapter", "prompt"):
        return None
    planned = getattr(stage.module, "planned", None)
    first = next((models[0] for models in inputs.values() if models), None)
    given = planned(stage.config, inputs) if planned else first
    if given is None or stage.artifact.task is None:
        return given
    task, held = find_task(stage.artifact.task), stage.artifact.adapter
    found = replace(given, head=head_of_task(task), labels=len(task.labels) or given.labels)
    if held is not None and stage.artifact.kind == "adapter":
        return replace(found, precision=held.precision, embeddings=held.embeddings)
    return replace(found, precision="fp32", embeddings="fp32")


def _less(
    plan: Plan, stage: Planned, inputs: Inputs, memory: Callable[..., Memory]
) -> Iterable[tuple[Mapping[str, Any], Memory]]:
    """Changes of a stage's keys that its check takes, and what it would then hold."""
    changes: Callable[[StageConfig], Iterable[Mapping[str, Any]]]
    changes = getattr(stage.module, "less_memory", lambda config: ())
    artifacts = {role: [_artifact(plan, n) for n in names] for role, names in stage.inputs.items()}
    written = stage.config.model_dump(exclude_unset=True)
    for keys in changes(stage.config):
        change = {key: value for key, value in keys.items() if getattr(stage.config, key) != value}
        try:
            config = type(stage.config).model_validate(written | change)
            stage.module.check(config, artifacts)  # type: ignore[arg-type]
        except Exception as error:
            if not (isinstance(error, ValueError) or is_persons(error)):
                raise
            continue
        if change:
            yield change, memory(config, inputs)


def _artifact(plan: Plan, label: str) -> Artifact:
    if label in plan.externals:
        return plan.externals[label].artifact
    return next(stage.artifact for stage in plan.stages if stage.label == label)


def _external(model: External) -> PlannedModel | None:
    """Of a model from outside; None where its config is not there, or of no known family."""
    directory = model.config_directory()
    if directory is None or model.artifact.kind == "bundle":
        return None
    try:
        return _read(directory)
    except EvalsuiteError:  # said where the stage checks it
        return None


def _read(directory: Path) -> PlannedModel | None:
    if (directory / "adapter_config.json").is_file():
        base = Path(str(adapter_config(directory).get("base_model_name_or_path")))
        return _read(base) if (base / "config.json").is_file() else None
    raw = read_config(directory)
    config = plain_config(raw)
    head = head_of(raw)
    stored = str(raw.get("dtype") or raw.get("torch_dtype") or "float32")
    precision: Any = "bf16" if stored.endswith("bfloat16") else "fp32"
    return PlannedModel(config, head, len(labels_of(raw)) or 2, precision)
