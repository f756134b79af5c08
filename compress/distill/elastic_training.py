"""Train an elastic student: in each batch its largest size, and one smaller cut of it.

>>> order_units(student, batches, seed=1)          # the most important units come first
>>> cut = cuts.find(layers=4, ffn=768)
>>> part_of(student, cut)(**batch).logits           # trains the student's own weights

The largest size learns from every batch and a smaller one with it, so that large cuts are not spent
on small ones (the sandwich rule: Yu & Huang 2019, arXiv:1903.05134; in depth and width: DynaBERT,
Hou et al. 2020, arXiv:2004.04037; nested feed-forward units: MatFormer, Devvrit et al. 2023,
arXiv:2310.07707). Unlike DynaBERT all sizes learn from the teacher in one training, not width
first, and attention heads stay: a config of transformers cannot describe fewer of them at the same
width. The teacher runs once per batch. Which cut a batch trains follows from the batch's own seed,
so a killed training resumes with the same ones.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from accelerate.utils import convert_to_fp32
from torch import nn

from compress.distill.elastic_cuts import Cut, Cuts, Elastic, nested
from compress.distill.greedy_layers import greedy_layers
from compress.distill.losses import student_loss, taught
from compress.distill.student_batch import Match, StudentBatch
from compress.prune.importance import measure
from compress.prune.structure import keep_units
from evalsuite.find_family import family_of
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors, TrainingData
from transfer.precision.train_rounded import quantize_aware

_CUT = "cut"  # among the tensors of a batch: the number of the cut that it trains


def order_units(model: Any, batches: Iterable[Tensors], seed: int) -> None:
    """Put the feed-forward units of each layer in the order of their importance, in place.

    The outputs stay as they are.

    Args:
        batches: `input_ids` and `attention_mask`, on which importance is measured
            (`compress.prune.importance`).
    """
    units = measure(model, batches, seed).units
    keep_units(model, units.argsort(dim=-1, descending=True, stable=True).tolist())


def elastic_cuts(
    student: Any, elastic: Elastic, samples: Sequence[Tensors], *, greedy: bool, seed: int
) -> Cuts:
    """The cuts of a student before training; its units are put in order where some are left out.

    Args:
        samples: batches of the training text.
        greedy: choose layers by `greedy_layers`, not evenly spaced.

    Raises:
        StudentError: the student is not larger than its cuts.
        UnknownNameError: its family is not known.
    """
    family = family_of(student)
    sizes = family.sizes(student.config)
    first = family.first_layer_reason(student.config) is not None

    def choose(depth: int, larger: Sequence[int]) -> Sequence[int]:
        return greedy_layers(student, depth, samples, keep_first=first)

    cuts = nested(
        sizes.layers,
        elastic.layers,
        sizes.feed_forward,
        elastic.ffn,
        choose if greedy else None,
        keep_first=first,
    )
    if len(cuts.ffn) > 1:
        order_units(student, samples, seed)
    return cuts


def part_of(model: Any, cut: Cut) -> Any:
    """A model of the cut's size whose weights are the model's own, or views of them.

    What trains it trains the model. It computes what `compress.cut.cut.cut_out` of the
    same model does.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    part = copy.deepcopy(model, shared)
    for module in part.modules():  # accelerate and others put one there that runs the whole model
        module.__dict__.pop("forward", None)
    family = family_of(model)
    wanted = family.with_layers(model.config, cut.layers)
    path, _, name = family.stack.rpartition(".")
    layers = nn.ModuleList(family.layers(part)[number] for number in cut.layers)
    setattr(part.base_model.get_submodule(path), name, layers)
    for key in ("num_hidden_layers", *family.per_layer):
        setattr(part.config, key, getattr(wanted, key))
    if cut.ffn == family.sizes(model.config).feed_forward:
        return part
    setattr(part.config, family.feed_forward_key, cut.ffn)
    for layer in layers:
        feed = family.feed_forward(layer)
        starts = [rows.start for rows in feed.inward]
        layer.set_submodule(family.layer.inward, _First(feed.inward[0].linear, cut.ffn, starts))
        layer.set_submodule(family.layer.outward, _First(feed.outward, cut.ffn))
    return part


class _First(nn.Linear):
    """A linear layer that uses some of another's rows, or its first columns.

    Args:
        whole: the other layer.
        units: how many.
        starts: first rows of the blocks of which as many rows each are used; none: columns.
    """

    def __init__(self, whole: nn.Linear, units: int, starts: Sequence[int] = ()) -> None:
        nn.Module.__init__(self)
        self.in_features = whole.in_features if starts else units
        self.out_features = units * len(starts) if starts else whole.out_features
        self.units, self.starts = units, tuple(starts)
        self.whole = (whole,)  # in a tuple it is no submodule

    def _rows(self, tensor: torch.Tensor) -> torch.Tensor:
        rows = [tensor[start : start + self.units] for start in self.starts]
        return rows[0] if len(rows) == 1 else torch.cat(rows)

    @property
    def weight(self) -> torch.Tensor:  # type: ignore[override]
        """`[outputs, inputs]`; its gradient is the other layer's."""
        whole = self.whole[0].weight
        return self._rows(whole) if self.starts else whole[:, : self.units]

    @property
    def bias(self) -> torch.Tensor | None:  # type: ignore[override]
        """`[outputs]`."""
        whole = self.whole[0].bias
        return whole if whole is None or not self.starts else self._rows(whole)


@dataclass(slots=True)
class ElasticLoss:
    """The loss of a batch: the mean over the student and one smaller cut.

    Use it as a context: what rounds the weights of the cuts is taken off at its end.

    Attributes:
        teacher: None for a bundle, whose logits are in the batches.
        match: of the whole student.
    """

    cuts: Cuts
    teacher: Any
    match: Match
    parts: dict[int, Any] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> ElasticLoss:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def data(self, data: TrainingData) -> TrainingData:
        """The same batches, each with the number of the cut that it trains."""
        smaller = len(self.cuts.all()) - 1

        def collate(batch: Batch) -> Tensors:
            number = 1 + random.Random(batch.seed).randrange(smaller)
            return {**data.collate(batch), _CUT: number}

        return replace(data, collate=collate)

    def loss(self, student: Any, tensors: Tensors) -> torch.Tensor:
        """Of one batch, a scalar."""
        tensors = dict(tensors)
        number = int(tensors.pop(_CUT))
        batch = StudentBatch.of(tensors)
        target = taught(self.teacher, batch, self.match)
        whole = student_loss(student, target, batch, self.match)
        part = self._part(getattr(student, "module", student), number)
        return (whole + student_loss(part, target, batch, self._match(number))) / 2

    def _match(self, number: int) -> Match:
        """The teacher's layers for those of a cut, as in the student; for the top one the top."""
        chosen = self.match.chosen
        if not chosen:
            return self.match
        kept = self.cuts.all()[number].layers
        return replace(self.match, chosen=[*(chosen[k] for k in kept[:-1]), chosen[-1]])

    def _part(self, student: Any, number: int) -> Any:
        """A cut of the student; made at its first batch, when the student is on its device."""
        if number not in self.parts:
            part = part_of(student, self.cuts.all()[number])
            part.register_forward_hook(lambda module, args, output: convert_to_fp32(output))
            self.stack.enter_context(quantize_aware(part, self.match.options.quantize_aware))
            self.parts[number] = part
        return self.parts[number]
