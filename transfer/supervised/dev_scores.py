"""Scores of a model in training on English dev rows, by the code that scores every model.

>>> dev = Dev([english(TASKS.get("xnli"), source, 500)], directory, model)
>>> dev()
{'xnli': 71.4}

Only English: rows of a target language, labelled or not, are never looked at while training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from evalsuite import scoring
from evalsuite.inference.probe_text import spread
from evalsuite.inference.session import Session
from evalsuite.inference.task_head import answers_of_task
from evalsuite.runtimes.torch import TorchPredictor, logits_of
from evalsuite.task import CHOICE, DataSource, Example, Task
from transfer.errors import MethodError
from transfer.models.heads import Joined
from transfer.supervised.rules import unscored

if TYPE_CHECKING:
    import numpy as np

DevRows = Literal["split", "train"]
_HOLD_OUT = "to hold out some of its training rows, set dev_rows: train"


@dataclass(frozen=True, slots=True)
class DevSet:
    """English rows of a task that are not trained on.

    Attributes:
        held_out: how many of them are the last of the English training rows.
        floor: percent that guessing scores (`evalsuite.scoring.chance`).
    """

    task: Task
    examples: Sequence[Example]
    held_out: int
    floor: float

    def normalized(self, score: float) -> float:
        """0 is guessing, 100 all right."""
        return 100 * (score - self.floor) / max(100 - self.floor, 1e-9)


def english(
    task: Task, source: DataSource, most: int, rows: DevRows = "split", remedy: str = _HOLD_OUT
) -> DevSet:
    """At most `most` English rows: of the dev split, or the last tenth of the training rows.

    Args:
        remedy: what to do where the dev split has none.

    Raises:
        MethodError: the task has no such rows, or is scored over a pool of passages.
    """
    if task.by_embedding:
        raise MethodError(unscored(task))
    if rows == "split":
        if task.source_language not in task.available(source, "dev"):
            raise MethodError(
                f"{task.name} has no English dev rows in the source {source.kind}; {remedy}"
            )
        found, held_out = spread(task.load(source, "dev", task.source_language), most), 0
    else:
        trained_on = task.load(source, "train", task.source_language)
        held_out = min(most, len(trained_on) // 10)
        found = trained_on[len(trained_on) - held_out :]
    try:
        floor = scoring.chance(scoring.answers(task, task.source_language, found))
    except ValueError:
        raise MethodError(f"{task.name}: no labelled English row to score ({rows})") from None
    return DevSet(task, found, held_out, floor)


class Dev:
    """The dev sets of a training.

    Attributes:
        constant: after a call, tasks whose rows all got the same answer.
    """

    def __init__(self, sets: Sequence[DevSet], directory: Path, model: Any) -> None:
        self.model, self.sets = model, sets
        self.constant: list[str] = []
        alone = len(sets) == 1
        self.sessions = [
            Session(_Live(directory, model, one.task, None if alone else head))
            for head, one in enumerate(sets)
        ]

    def __call__(self) -> dict[str, float]:
        """The main metric of each task, in percent; nothing random is drawn."""
        training = self.model.training
        self.model.eval()
        scores: dict[str, float] = {}
        self.constant = []
        for one, session in zip(self.sets, self.sessions, strict=True):
            said = session.predict(one.task.format, one.examples)
            answers = scoring.answers(one.task, one.task.source_language, one.examples, said)
            scores[one.task.name] = scoring.main_score(answers)
            # A tagger's answers are lists of tags; one tag for every word is as constant.
            flat = {tag for row in said for tag in (row if isinstance(row, list) else [row])}
            if len(flat) == 1:
                self.constant.append(one.task.name)
        self.model.train(training)
        return scores


class _Live(TorchPredictor):
    """A model in training as what predicts one task's rows; `head` is of a `Joined` model."""

    def __init__(self, directory: Path, model: Any, task: Task, head: int | None) -> None:
        inner = model.model if isinstance(model, Joined) else model
        super().__init__(directory, inner, "fp32")
        prompt = getattr(inner, "active_peft_config", None)
        self.max_length -= getattr(prompt, "num_virtual_tokens", None) or 0
        self.labels, self.answers = task.labels, answers_of_task(task)
        self.number, self.whole = head, model
        self.choices = task.labels == CHOICE

    def __call__(
        self, input_ids: np.ndarray, attention_mask: np.ndarray, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        ids, mask = (
            torch.from_numpy(array).to(self.model.device) for array in (input_ids, attention_mask)
        )
        if self.choices:
            ids, mask = ids[:, None], mask[:, None]
        with torch.no_grad():  # weights that met inference mode could not be trained on
            if self.number is None:
                logits = logits_of(self.model(input_ids=ids, attention_mask=mask))
            else:
                logits = self.whole(ids, mask, self.number)
        return {"logits": logits.float().cpu().numpy()}
