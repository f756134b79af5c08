"""How much memory a pass will take, from the configs of its models alone.

>>> distilling(needed(student, Training(batch=8)), teacher, "nf4").parts["teacher"]
4059283456
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.machine.memory import Memory
from evalsuite.machine.model_shape import ModelShape
from transfer.memory.held_weights import held
from transfer.memory.training import PROCESS

if TYPE_CHECKING:
    from transfer.models.checkpoints import Embeddings, Precision


def distilling(student: Memory, teacher: ModelShape, precision: Precision) -> Memory:
    """The training of a student, and its teacher.

    Args:
        student: what its training holds.
        precision: of the teacher's linear layers.
    """
    return student.and_also(Memory({"teacher": held(teacher, precision)}))


def fusing(shape: ModelShape, precision: Precision, embeddings: Embeddings) -> Memory:
    """The fused model in fp32, and the live adapter on its base, which it is compared with.

    Args:
        precision, embeddings: of the base, as the adapter was trained on it.
    """
    fused, live = held(shape), held(shape, precision, embeddings)
    return Memory({"weights": fused + live, "other": PROCESS})


def copying(shape: ModelShape, copies: float) -> Memory:
    """A pass that holds a model in fp32 as often as that, and trains nothing."""
    return Memory({"weights": round(held(shape) * copies), "other": PROCESS})
