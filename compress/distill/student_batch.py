"""One training batch, and what is matched on it.

>>> batch = StudentBatch.of({"input_ids": ids, "attention_mask": mask, "labels": labels})
>>> sorted(batch.inputs), sorted(batch.gold)
(['attention_mask', 'input_ids'], ['labels'])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from compress.distill.options import Options
from compress.distill.relations import relation_heads, teacher_layer
from compress.distill.segments import Segments
from compress.errors import StudentError
from evalsuite.find_family import find_type
from evalsuite.inference.checkpoint_config import Answers
from transfer.loop.types import Tensors

GOLD = ("labels", "start_positions", "end_positions")


@dataclass(frozen=True, slots=True)
class Match:
    """Which parts of the two models are matched, and with which weights.

    Attributes:
        chosen: the teacher's layer for each layer of the student.
        layer: the teacher's layer whose attention relations are matched.
        heads: number of relation heads.
        answers: what the teacher's head gives per row.
        same_pieces: whether both models split text into the same pieces.
        final_norm: the teacher's norm after its last layer, where the student's last layer is
            matched to a lower one: the student's last states are after its own.
    """

    chosen: Sequence[int]
    layer: int
    heads: int
    options: Options
    answers: Answers = "label"
    same_pieces: bool = True
    final_norm: Any = None

    @classmethod
    def of(
        cls,
        teacher: Any,
        student: Any,
        chosen: Sequence[int],
        options: Options,
        answers: Answers = "label",
        same_pieces: bool = True,
    ) -> Match:
        """The match of two models.

        Raises:
            StudentError: the models cannot be matched as the options ask.
        """
        if options.hidden > 0 and student.config.hidden_size != teacher.config.hidden_size:
            raise StudentError(
                f"hidden states of {student.config.hidden_size} and of "
                f"{teacher.config.hidden_size} cannot be matched; set hidden: 0 and relations: 1"
            )
        layer = heads = 0
        if options.relations > 0:
            layer = teacher_layer(options.relation_layer, teacher.config.num_hidden_layers)
            heads = relation_heads(options.relation_heads, teacher.config, student.config)
        norm = _final_norm(teacher, chosen) if options.hidden > 0 else None
        return cls(chosen, layer, heads, options, answers, same_pieces, norm)

    def states(self, teacher: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """The teacher's states, of the embeddings and after each layer, as they are matched."""
        if self.final_norm is None:
            return teacher
        states, last = list(teacher), self.chosen[-1] + 1
        with torch.no_grad():
            states[last] = self.final_norm(states[last])
        return states


def _final_norm(teacher: Any, chosen: Sequence[int]) -> Any:
    """As in `Match`; None in families whose layers end with a norm."""
    family = find_type(teacher.config.model_type)
    last = int(teacher.config.num_hidden_layers) - 1
    if family is None or family.final_norm is None or not chosen or chosen[-1] == last:
        return None
    return teacher.base_model.get_submodule(family.final_norm)


@dataclass(frozen=True, slots=True)
class Translations:
    """Sentences, or pairs of them, with the teacher's embeddings.

    Attributes:
        ids, mask: `[sides, tokens]`; of pairs, the English sides first.
        embeddings: unit vectors `[sides, width]`, or those of the English sides alone.
        spread: mean squared distance of the teacher's embeddings from their mean.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    embeddings: torch.Tensor
    spread: float


@dataclass(frozen=True, slots=True)
class StudentBatch:
    """One training batch.

    Attributes:
        inputs: what both models read, `attention_mask` among it.
        gold: labels, or start and end of a span; empty for text without labels.
        teacher_logits: computed before training; None where the teacher runs with every batch.
        matched: tokens whose logits are matched, 1 or 0, `[batch, tokens]`; None for all of them.
        translations: None where sentence embeddings are not matched.
        sides_spread: spread of the teacher's embeddings where the rows are both sides of pairs,
            English sides first, so that one pass of each model gives the embeddings too; else None.
        segments: None where both models read the same pieces, and on rows of tasks.
    """

    inputs: Tensors
    gold: Tensors
    teacher_logits: torch.Tensor | None = None
    matched: torch.Tensor | None = None
    translations: Translations | None = None
    sides_spread: float | None = None
    segments: Segments | None = None

    @classmethod
    def of(cls, tensors: Tensors) -> StudentBatch:
        """From the tensors that the training loop passes, by name."""
        inputs = dict(tensors)
        gold = {name: inputs.pop(name) for name in GOLD if name in inputs}
        ids, mask = inputs.pop("sides_ids", None), inputs.pop("sides_mask", None)
        embeddings, spread = inputs.pop("embeddings", None), inputs.pop("spread", None)
        known, matched = inputs.pop("targets", None), inputs.pop("matched", None)
        pairs = None if embeddings is None else Translations(ids, mask, embeddings, spread)
        sides = spread if embeddings is None else None
        return cls(inputs, gold, known, matched, pairs, sides, Segments.take(inputs))

    def matches_hidden(self, match: Match) -> bool:
        """Whether hidden states are matched on these rows."""
        return match.options.hidden > 0 and (match.same_pieces or self.segments is not None)
