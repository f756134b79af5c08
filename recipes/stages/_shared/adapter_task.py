"""The task of an adapter that plain peft saved, which does not name it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from recipes.stages._shared.contract import Artifact, TaskName
from recipes.stages._shared.heads import refuse_other_head
from recipes.stages._shared.training_keys import known_tasks

AdapterTask = Annotated[
    TaskName | None,
    Field(
        description="Task whose head an adapter from outside carries, where it has no "
        "training.json, such as one that plain peft saved."
    ),
]


def with_task(artifact: Artifact, asked: str | None) -> Artifact:
    """The artifact, and of an adapter from outside without a task the one `adapter_task` names.

    Raises:
        StageInputError: there is no such task, or the adapter's head is none of it.
    """
    if asked is None:
        return artifact
    (task,) = known_tasks((asked,))
    adapter = artifact.kind in ("adapter", "prompt") and artifact.external
    if not adapter or artifact.task is not None:
        return artifact
    refuse_other_head(artifact, task, "adapter_task")
    return replace(artifact, task=asked)
