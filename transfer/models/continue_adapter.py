"""Train an adapter after another one: an intermediate task's, then the target task's.

>>> options = Options(method="lora", sequential="stack", ...)
>>> previous = PreviousAdapter.read(Path("mnli-adapter"), options)
>>> previous.adapter.base             # what both are for
PosixPath('xlm-roberta-base')

Three ways to go on from an intermediate adapter: fuse it and train on what comes out (no need of
this file), `stack` the new one on it, or `start` the new one from its weights. In all of them its
head goes on too where the target task has the same labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.inference.label_order import places, same_names
from evalsuite.opening.validated import training_record
from evalsuite.task import DataSource, Task
from transfer.errors import AdapterError, MethodError
from transfer.find_task import find_task
from transfer.methods._sequential import Updates
from transfer.methods.lora import Sequential, refuse_sequential
from transfer.models import label_rows
from transfer.models.adapters import Adapter
from transfer.supervised.options import Options


@dataclass(frozen=True, slots=True)
class PreviousAdapter:
    """The adapter that is there already, and what becomes of it."""

    adapter: Adapter
    updates: Updates
    mode: Sequential

    @classmethod
    def read(cls, directory: Path, options: Options) -> PreviousAdapter | None:
        """Of what is to be trained; None where that is a whole checkpoint.

        Raises:
            AdapterError: it is no LoRA, or was trained on the base in another precision.
            MethodError: it is an adapter and nothing says what becomes of it, or the other way
                round; a method that cannot go on from one.
        """
        there = (directory / "adapter_config.json").is_file()
        if not there and options.sequential is None:
            return None
        if not there:
            raise MethodError(
                f"sequential: {options.sequential} goes on from an adapter, and {directory} is a "
                "whole checkpoint; leave it out"
            )
        if options.sequential is None:
            raise MethodError(
                f"{directory} is an adapter; fuse it first, or set sequential: stack or start"
            )
        refuse_sequential(options.sequential, options.method, **options.method_options)
        adapter = Adapter.read(directory)
        for key, own in (("precision", adapter.precision), ("embeddings", adapter.embeddings)):
            if (asked := getattr(options, key)) != own:
                raise AdapterError(
                    f"{key}: {asked}, but {directory} was trained on its base in {own}, and one "
                    f"adapter comes of both; set {key}: {own}, or fuse it first"
                )
        return cls(adapter, Updates.read(directory), options.sequential)

    def put_head(self, model: Any, task: Task | None, source: DataSource) -> bool:
        """Copy its head where the task has the same labels; whether it was.

        Args:
            source: shows whether the labels of its task are read from rows, as CCG's are. Then they
                are known only where they were recorded with the adapter.
        """
        record = training_record(self.adapter.directory)
        name = record.get("task")
        if task is None or name is None:
            return False
        own = find_task(name)
        labels = tuple(record.get("labels") or ())
        if not labels and own.labelled(source) is own:
            labels = own.labels
        alike = own.format == task.format and same_names(labels, task.labels)
        if not alike or not self.updates.put_head(model):
            return False
        if labels != task.labels:
            label_rows.move_rows(model, places(task.labels, labels))
        return True

    def apply(self, wrapped: Any) -> None:
        """Put the update under, or into, the adapter that is to be trained.

        Raises:
            MethodError: it does not fit into it.
        """
        if self.mode == "stack":
            self.updates.stack(wrapped)
        else:
            self.updates.start(wrapped)
