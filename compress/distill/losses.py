"""The loss of a distillation: one function per term, and their weighted sum over one batch.

- Logits: Kullback-Leibler divergence at temperature T, times T squared (Hinton et al. 2015); of
  labels that do not exclude each other, that of each label, summed; of scores, squared error.
- Hidden states: mean squared error of the states after chosen layers, over real tokens, each
  divided by the teacher's variance so that all layers have the same weight; where the models have
  different tokenizers, over the segments of `compress.distill.segments`.
- Attention relations: see `compress.distill.relations`.
- Sentence embeddings: see `compress.distill.sentences`.
- Gold labels: the task's own loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compress.distill.options import Options
from compress.distill.relations import attended, relation_loss
from compress.distill.segments import Segments, segment_states
from compress.distill.sentences import embed_sides, vectors_loss
from compress.distill.student_batch import Match, StudentBatch
from evalsuite.errors import NotFiniteError
from evalsuite.inference.checkpoint_config import Answers
from evalsuite.runtimes.torch import logits_of
from transfer.objectives.gold import gold_loss
from transfer.objectives.sentences import pool
from transfer.objectives.spans import ends_loss, over_tokens


@dataclass(frozen=True, slots=True)
class Taught:
    """What the teacher gives for a batch, for one student or for several cuts of one.

    Attributes:
        outputs: None where it did not run.
        attention: queries, keys and values of one layer, where relations are matched.
    """

    outputs: Any = None
    attention: Sequence[torch.Tensor] = ()


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Outputs of both models for a batch; queries, keys and values where relations are matched."""

    student: Any
    teacher: Any  # None where it did not run
    student_attention: Sequence[torch.Tensor] = ()
    teacher_attention: Sequence[torch.Tensor] = ()


def matched_loss(student: Any, teacher: Any, batch: StudentBatch, match: Match) -> torch.Tensor:
    """The weighted sum of all terms whose weight is above 0, a scalar.

    Args:
        teacher: None for a bundle, whose logits are in the batch.
    """
    return student_loss(student, taught(teacher, batch, match), batch, match)


def taught(teacher: Any, batch: StudentBatch, match: Match) -> Taught:
    """Run the teacher, where its outputs are needed.

    Args:
        teacher: as in `matched_loss`.
    """
    options = match.options
    hidden = batch.matches_hidden(match)
    if options.relations > 0:
        with attended(teacher, match.layer) as attention:
            outputs = _teacher_outputs(teacher, batch, hidden)
        return Taught(outputs, attention)
    if hidden or (options.logits > 0 and batch.teacher_logits is None):
        return Taught(_teacher_outputs(teacher, batch, hidden))
    return Taught()


def student_loss(student: Any, target: Taught, batch: StudentBatch, match: Match) -> torch.Tensor:
    """As `matched_loss`, with a teacher that ran already."""
    options = match.options
    inner = getattr(student, "module", student)  # accelerate may wrap the model
    total = torch.zeros((), device=batch.inputs["attention_mask"].device)
    if (pairs := batch.translations) is not None:
        pooling = options.own_vectors.pooling or "mean"
        embeddings = embed_sides(inner, pairs.ids, pairs.mask, pooling)
        total = total + vectors_loss(embeddings, pairs.embeddings, pairs.spread, options)
    labelled = options.labels > 0 and bool(batch.gold)
    hidden = batch.matches_hidden(match)
    if labelled or options.logits > 0 or hidden or options.relations > 0:
        total = total + _outputs_loss(_run(student, inner, target, batch, match), batch, match)
    return total


def _run(student: Any, inner: Any, target: Taught, batch: StudentBatch, match: Match) -> _Outputs:
    """Run the student."""
    hidden = batch.matches_hidden(match)
    if match.options.relations > 0:
        with attended(inner, inner.config.num_hidden_layers - 1) as attention:
            output = student(**batch.inputs, output_hidden_states=hidden)
        return _Outputs(output, target.outputs, attention, target.attention)
    return _Outputs(student(**batch.inputs, output_hidden_states=hidden), target.outputs)


def _teacher_outputs(teacher: Any, batch: StudentBatch, hidden: bool) -> Any:
    """Of a batch. Raises: NotFiniteError: the teacher gives no numbers to learn from."""
    with torch.no_grad():
        inputs = batch.inputs if batch.segments is None else batch.segments.inputs()
        outputs = teacher(**inputs, output_hidden_states=hidden)
        if torch.isfinite(outputs[0]).all():  # logits, or the last layer of an encoder
            return outputs
        states = teacher(**inputs, output_hidden_states=True).hidden_states
    layers = (
        f"hidden_states.{n}" for n, state in enumerate(states) if not torch.isfinite(state).all()
    )
    raise NotFiniteError(
        f"the teacher {teacher.config.name_or_path} gives outputs that are NaN or infinite, "
        f"first in {next(layers, 'its head')}\n"
        "its weights are too large; train it again with a lower learning_rate"
    )


def _outputs_loss(outputs: _Outputs, batch: StudentBatch, match: Match) -> torch.Tensor:
    """The terms that are matched per token or per row."""
    options, own = match.options, outputs.student
    mask = batch.inputs["attention_mask"]
    total = torch.zeros((), device=mask.device)
    if options.relations > 0:
        total = total + options.relations * relation_loss(
            outputs.student_attention, outputs.teacher_attention, mask.flatten(0, -2), match.heads
        )
    if options.logits > 0 and ("start_logits" in own or "logits" in own):
        wanted, matched = _wanted_logits(outputs.teacher, batch)
        total = total + options.logits * output_logits_loss(
            own, wanted, mask if matched is None else matched, options.temperature, match.answers
        )
    if batch.matches_hidden(match):
        student, teacher = own.hidden_states, match.states(outputs.teacher.hidden_states)
        chosen, counted = match.chosen, mask.flatten(0, -2)
        if batch.segments is not None:
            teacher = [teacher[0], *(teacher[layer + 1] for layer in chosen)]
            student, teacher, counted = _by_segment(student, teacher, batch.segments)
            chosen = range(len(chosen))
        total = total + options.hidden * hidden_loss(student, teacher, chosen, counted)
    if batch.sides_spread is not None:
        total = total + _sides_loss(outputs, batch, options)
    if options.labels > 0 and batch.gold:
        total = total + options.labels * labels_loss(own, batch)
    return total


def _wanted_logits(teacher: Any, batch: StudentBatch) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The teacher's logits in the student's shape, and the tokens whose logits are matched."""
    if batch.teacher_logits is not None:
        return batch.teacher_logits, batch.matched
    logits = logits_of(teacher).float()
    return (logits, None) if batch.segments is None else batch.segments.logits(logits)


def _sides_loss(outputs: _Outputs, batch: StudentBatch, options: Options) -> torch.Tensor:
    """The weighted loss of the vectors of rows: sentences, or pairs with English sides first."""
    mask = batch.inputs["attention_mask"]
    theirs = mask if batch.segments is None else batch.segments.mask
    pooling = options.vectors.pooling or "mean"
    student = pool(outputs.student.hidden_states[-1], mask, pooling)
    teacher = pool(outputs.teacher.hidden_states[-1], theirs, pooling).float()
    taught = teacher if options.each_side else teacher[: len(teacher) // 2]
    return vectors_loss(student, taught, batch.sides_spread or 1.0, options)


def _by_segment(
    student: Sequence[torch.Tensor], teacher: Sequence[torch.Tensor], segments: Segments
) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """States of both models per segment, `[rows, segments, width]` each, and which are there."""
    count = max(int(segments.student.max()) + 1, 1)
    places = torch.arange(count, device=segments.student.device)
    there = places <= segments.student.amax(1, keepdim=True)
    return (
        segment_states(student, segments.student, count),
        segment_states(teacher, segments.teacher, count),
        there,
    )


def output_logits_loss(
    output: Any,
    teacher: torch.Tensor,
    mask: torch.Tensor,
    temperature: float,
    answers: Answers,
) -> torch.Tensor:
    """The loss of a model's output: per row, per real token, or per end of a span.

    Args:
        output: of the student.
        teacher: logits in the student's shape.
        mask: `[batch, tokens]`, or `[batch, choices, tokens]`.
    """
    scores = logits_of(output).float()
    if answers == "score":
        return nn.functional.mse_loss(scores, teacher)
    if answers == "labels":
        return each_label_loss(scores, teacher, temperature)
    spans = "start_logits" in output
    if spans:  # each end is a choice among the tokens
        scores, teacher = over_tokens(scores, mask), over_tokens(teacher, mask)
    per_token = not spans and scores.dim() == 3
    weight = mask if per_token else torch.ones(scores.shape[:-1], device=mask.device)
    return logits_loss(scores, teacher, weight.float(), temperature)


def logits_loss(
    student: torch.Tensor, teacher: torch.Tensor, weight: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Divergence of the student's probabilities from the teacher's, a scalar.

    Args:
        student, teacher: logits, `[..., labels]`.
        weight: `[...]`, 1 for rows or tokens that count, else 0.
    """
    divergence = nn.functional.kl_div(
        nn.functional.log_softmax(student / temperature, -1),
        nn.functional.log_softmax(teacher / temperature, -1),
        reduction="none",
        log_target=True,
    ).sum(-1)
    return temperature**2 * (divergence * weight).sum() / weight.sum().clamp(min=1)


def each_label_loss(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Divergence of the student's probability of each label, summed over labels, mean over rows.

    Args:
        student, teacher: logits, `[rows, labels]`; each is of a label or not.
    """
    shares = torch.sigmoid(teacher / temperature)
    crossed = nn.functional.binary_cross_entropy_with_logits
    own, least = (
        crossed(logits / temperature, shares, reduction="sum") for logits in (student, teacher)
    )
    return temperature**2 * (own - least) / len(student)


def hidden_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    chosen: Sequence[int],
    mask: torch.Tensor,
) -> torch.Tensor:
    """Mean squared error of hidden states, in the teacher's variance, a scalar.

    Args:
        student, teacher: states of the embeddings and after every layer, `[batch, tokens, width]`
            each.
        chosen: the student's layer k is matched to the teacher's layer `chosen[k]`.
        mask: `[batch, tokens]`, 1 on real tokens.
    """
    pairs = [(student[0], teacher[0])]
    pairs += [(student[k + 1], teacher[layer + 1]) for k, layer in enumerate(chosen)]
    weight = mask.unsqueeze(-1).to(student[0].dtype)
    count = weight.sum().clamp(min=1) * student[0].shape[-1]
    total = torch.zeros((), dtype=student[0].dtype, device=student[0].device)
    for states, target in pairs:
        mean = (target * weight).sum() / count
        variance = (((target - mean) ** 2) * weight).sum() / count
        total = total + (((states - target) ** 2) * weight).sum() / count / variance.clamp(min=1e-6)
    return total / len(pairs)


def labels_loss(output: Any, batch: StudentBatch) -> torch.Tensor:
    """The task's own loss on gold labels, or on both ends of a span."""
    if "labels" not in batch.gold:
        return ends_loss(logits_of(output), {**batch.inputs, **batch.gold})
    return gold_loss(output.logits, batch.gold["labels"])
