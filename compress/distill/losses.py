"""The loss of a distillation: the terms its options weigh, over one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compress.distill import objective
from compress.distill.options import Options
from compress.distill.relations import attended, relation_heads, relation_loss, teacher_layer
from compress.distill.sentences import embed_sides, sentence_loss
from compress.errors import StudentError
from evalsuite.runtimes.torch import logits_of
from transfer.encoded_rows.encoded import IGNORE
from transfer.loop.types import Tensors
from transfer.objectives.spans import ends_loss, over_tokens


@dataclass(frozen=True, slots=True)
class Match:
    """What is matched to what: layers of the teacher, relation heads, weights."""

    chosen: Sequence[int]  # the teacher's layer of each of the student's
    layer: int  # of the teacher, for relations
    heads: int
    options: Options

    @classmethod
    def of(cls, teacher: Any, student: Any, chosen: Sequence[int], options: Options) -> Match:
        """Of two models; raises StudentError where they cannot be matched as asked."""
        if options.hidden > 0 and student.config.hidden_size != teacher.config.hidden_size:
            raise StudentError(
                f"hidden states of {student.config.hidden_size} and of "
                f"{teacher.config.hidden_size} cannot be matched; set hidden: 0 and relations: 1"
            )
        layer = heads = 0
        if options.relations > 0:
            layer = teacher_layer(options.relation_layer, teacher.config.num_hidden_layers)
            heads = relation_heads(options.relation_heads, teacher.config, student.config)
        return cls(chosen, layer, heads, options)


def matched_loss(
    student: Any, teacher: Any, batch: Tensors, gold: Tensors, match: Match
) -> torch.Tensor:
    """The weighted sum of the terms asked for; `targets` in the batch stand for the teacher."""
    options = match.options
    inner = getattr(student, "module", student)  # of what accelerate wraps
    total = torch.zeros((), device=batch["attention_mask"].device)
    sides = {name: batch.pop(name, None) for name in ("sides_ids", "sides_mask")}
    target, spread = batch.pop("embeddings", None), batch.pop("spread", 1.0)
    if target is not None:
        own = embed_sides(inner, sides["sides_ids"], sides["sides_mask"])
        total = total + options.sentences * sentence_loss(own, target, spread)
    if gold or options.logits > 0 or options.hidden > 0 or options.relations > 0:
        total = total + _outputs_loss(student, inner, teacher, batch, gold, match)
    return total


def _outputs_loss(
    student: Any, inner: Any, teacher: Any, batch: Tensors, gold: Tensors, match: Match
) -> torch.Tensor:
    """What is matched token by token, or row by row."""
    options = match.options
    hidden = options.hidden > 0
    known = batch.pop("targets", None)
    if options.relations > 0:
        last = inner.config.num_hidden_layers - 1
        with attended(teacher, match.layer) as theirs, attended(inner, last) as ours:
            target, own = _outputs(student, teacher, batch, hidden)
    else:
        theirs, ours = [], []
        asked = hidden or (options.logits > 0 and known is None)
        target, own = _outputs(student, teacher if asked else None, batch, hidden)
    mask = batch["attention_mask"]
    total = torch.zeros((), device=mask.device)
    if options.relations > 0:
        flat = mask.flatten(0, -2)
        total = total + options.relations * relation_loss(ours, theirs, flat, match.heads)
    spans = "start_logits" in own
    if options.logits > 0 and (spans or "logits" in own):
        scores = logits_of(own).float()
        wanted = logits_of(target).float() if known is None else known
        if spans:  # over the tokens, each end by itself
            scores, wanted = over_tokens(scores, mask), over_tokens(wanted, mask)
        per_token = not spans and scores.dim() == 3
        weight = mask if per_token else torch.ones(scores.shape[:-1], device=mask.device)
        total = total + options.logits * objective.logits_loss(
            scores, wanted, weight.float(), options.temperature
        )
    if hidden:
        total = total + options.hidden * objective.hidden_loss(
            own.hidden_states, target.hidden_states, match.chosen, mask.flatten(0, -2)
        )
    if "labels" in gold:
        total = total + options.labels * nn.functional.cross_entropy(
            own.logits.float().flatten(0, -2), gold["labels"].flatten(), ignore_index=IGNORE
        )
    elif gold:
        total = total + options.labels * ends_loss(logits_of(own), {**batch, **gold})
    return total


def _outputs(student: Any, teacher: Any, batch: Tensors, hidden: bool) -> tuple[Any, Any]:
    """The teacher's, where it is to run, and the student's."""
    target = None
    if teacher is not None:
        with torch.no_grad():
            target = teacher(**batch, output_hidden_states=hidden)
    return target, student(**batch, output_hidden_states=hidden)
