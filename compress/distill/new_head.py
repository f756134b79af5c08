"""An encoder becomes a student with its teacher's kind of head, for the same labels.

>>> student = with_head(Path("MiniLM"), Path("xlmr-xnli"), teacher)
>>> student.config.id2label
{0: 'contradiction', 1: 'neutral', 2: 'entailment'}

The head begins as a copy of the teacher's where both have the same layers, else at random; then
scores are learnt in units of their spread (`transfer.models.first_score`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from evalsuite.inference.checkpoint_config import answers_of, head_of, labels_of, model_config
from evalsuite.inference.task_head import PROBLEMS
from evalsuite.opening.pretrained import open_with_report
from evalsuite.runtimes.torch import auto_class, load_checkpoint
from evalsuite.task import CHOICE, SPAN_ENDS
from transfer.models.first_score import begin_as, in_units_of

_SAME_HEADS = {"roberta", "xlm-roberta", "xlm-roberta-xl"}  # model types; a dense layer and tanh


def needs_head(student: Path, teacher: Path) -> bool:
    """Whether the teacher has a head and the student is an encoder without one."""
    return head_of(model_config(student)) is None and head_of(model_config(teacher)) is not None


def with_head(student: Path, teacher: Path, model: Any = None) -> Any:
    """Open the encoder in `student` with a head for the teacher's labels, in fp32.

    Args:
        teacher: its directory, a checkpoint or a bundle.
        model: the opened teacher; None for a bundle, of which nothing can be copied.

    Raises:
        ModelError: the encoder does not open.
    """
    config = model_config(teacher)
    labels = labels_of(config)
    named: dict[str, Any] = {}
    if labels not in ((), SPAN_ENDS, CHOICE):
        if model is not None:  # its rows may have been turned since
            labels = tuple(label for _, label in sorted(model.config.id2label.items()))
        named = {
            "id2label": dict(enumerate(labels)),
            "label2id": {label: number for number, label in enumerate(labels)},
            "problem_type": PROBLEMS[answers_of(config)],
        }
    found, _ = open_with_report(
        auto_class(head_of(config)), student, dtype=torch.float32, new_head=True, **named
    )
    found.config.finetuning_task = config.get("finetuning_task")
    found.config.architectures = [type(found).__name__]  # what its head gives is read there
    if model is not None and not _copy_head(found, model) and answers_of(config) == "score":
        begin_as(found, model)
    return found


def start_of(student: Path, teacher: Path, model: Any, headed: bool) -> Any:
    """The checkpoint that a student starts from, opened in fp32, whatever it is stored in.

    Args:
        model: as in `with_head`.
        headed: outputs of heads are matched, so an encoder gets one.
    """
    if headed and needs_head(student, teacher):
        return with_head(student, teacher, model)
    return load_checkpoint(student).float()


def begin_head(student: Any, teacher: Any, scores: torch.Tensor | None) -> None:
    """Have a new head learn scores in units of their spread.

    A copy of the teacher's keeps its answers; another gives the mean score at first, where scores
    are known, else the teacher's bias.

    Args:
        teacher: as in `with_head`.
        scores: those of the training rows, of any shape; None where there are none.
    """
    if scores is not None:
        copied = teacher is not None and _fits(student, teacher)
        in_units_of(scores, student, carried_over=copied)


def _copy_head(student: Any, teacher: Any) -> bool:
    """Whether the student's head is the same as the teacher's, and its tensors were taken."""
    if not _fits(student, teacher):
        return False
    own, theirs = _head(student), _head(teacher)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(theirs[name])
    return True


def _fits(student: Any, teacher: Any) -> bool:
    """Whether two heads have the same tensors, as large, and compute the same.

    A head of one linear layer is the same in all families; of more layers, the activation between
    them may be another one: ELECTRA's is GELU where XLM-R's is tanh.
    """
    kinds = {model.config.model_type for model in (student, teacher)}
    linear = head_of(student.config.to_dict()) in ("tagging", "span")
    if len(kinds) > 1 and not linear and not kinds <= _SAME_HEADS:
        return False
    shapes = [
        {name: tensor.shape for name, tensor in _head(model).items()}
        for model in (student, teacher)
    ]
    return shapes[0] == shapes[1]


def _head(model: Any) -> dict[str, torch.Tensor]:
    """Tensors outside the encoder, by name; a pooler in the encoder belongs to the head."""
    encoder = f"{model.base_model_prefix}."
    outside = {name: p for name, p in model.state_dict().items() if not name.startswith(encoder)}
    if (pooler := getattr(model.base_model, "pooler", None)) is not None:
        outside |= pooler.state_dict(prefix="pooler.")
    return outside
