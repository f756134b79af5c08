"""Prune a checkpoint in rounds, each measured anew, with recovery distillation after each.

>>> options = PruneOptions(Size(units=0.5, layers=9), recovery=None, seed=1)
>>> pruned = prune(directory, [TASKS.get("xnli")], source, options, work=work, out=out)
>>> pruned.units[0][:3], pruned.layers
([0, 4, 5], (0, 1, 2, 4, 5, 7, 8, 9, 11))

A round removes its share of the layers, measures what is left, and removes its share of the units
and heads. Then the model is distilled from the unpruned one, if `recovery` is given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from compress.distill.distill import distill
from compress.distill.elastic_cuts import declare
from compress.distill.label_order import label_order, numbered_alike
from compress.distill.options import LayerChoice, Options
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.distill.teachers import in_order
from compress.prune import structure
from compress.prune.importance import least_similar, measure, strongest
from compress.prune.importance_text import importance_batches
from compress.prune.rules import share, wanted
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import labels_of
from evalsuite.runtimes.torch import TorchPredictor, load_checkpoint
from evalsuite.task import DataSource, Task
from transfer.loop.types import Progress, Tensors
from transfer.models import cards, checkpoints

RECORD = "prune.json"


@dataclass(frozen=True, slots=True)
class Size:
    """What is to be left: a number, a share below 1, or None for all there is."""

    units: int | float | None = None  # feed-forward units per layer
    heads: int | float | None = None  # per layer
    layers: int | Sequence[int] | None = None  # how many, or which of them


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """How a checkpoint is pruned.

    Attributes:
        recovery: how to distil after each round; its `layers` and `max_length` are not read. None:
            no recovery.
        importance_rows: English rows, and as many other sentences, on which importance is measured.
        max_length: tokens; lowered to what the model can read.
        max_pairs: sentence pairs of parallel text per language, at most; None: all.
    """

    size: Size
    recovery: Options | None
    seed: int
    rounds: int = 1
    importance_rows: int = 256
    max_length: int = 128
    batch_size: int = 32
    max_pairs: int | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune left, numbered as in the model that was pruned.

    Attributes:
        layers: layers that are kept.
        units, heads: units and heads that are kept, by kept layer.
        influence: of every layer before the first round; see `compress.prune.importance`.
        before, after: parameters by part.
        silent: parameters after pruning that are zeros of silent heads.
    """

    layers: tuple[int, ...]
    units: list[list[int]]
    heads: list[list[int]]
    influence: list[float]
    before: dict[str, int]
    after: dict[str, int]
    silent: int


@dataclass(frozen=True, slots=True)
class _Counts:
    """Numbers of layers, of units per layer and of heads per layer."""

    layers: int
    units: int
    heads: int

    def after(self, goal: _Counts, number: int, rounds: int) -> _Counts:
        """What is left of these after a round on the way to a goal."""
        return _Counts(
            share(self.layers, goal.layers, number, rounds),
            share(self.units, goal.units, number, rounds),
            share(self.heads, goal.heads, number, rounds),
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is left so far, numbered as in the model that is pruned."""

    layers: list[int]
    units: list[list[int]]
    heads: list[list[int]]


def prune(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: PruneOptions,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Pruned:
    """Write the pruned checkpoint to `out`, with a record of what was kept in `prune.json`.

    Raises:
        PruneError: a size is larger than what there is.
        UnknownNameError: the model's family is not known.
        FamilyError: it cannot be without a layer that is not among those named.
        StudentError: the layers named are not the model's.
        DataError: training rows or parallel text are absent.
    """
    tasks = [task.labelled(source) for task in tasks]
    model = _model(directory, tasks)
    tasks = numbered_alike(tasks, labels_of(model.config.to_dict()))
    before = parameters(model)
    options = replace(options, max_length=checkpoints.longest(directory, options.max_length))
    whole = _counts(model)
    goal, named = _goal(whole, options.size)
    if named:
        family_of(model).with_layers(model.config, named)  # refused before anything is measured
    batches = importance_batches(
        directory, tasks, source, count=options.importance_rows, max_length=options.max_length,
        batch_size=options.batch_size, max_pairs=options.max_pairs, seed=options.seed,
    )  # fmt: skip
    kept = _Kept(list(range(whole.layers)), [list(range(whole.units))] * whole.layers, [])
    influence: list[float] = []
    for number in range(1, options.rounds + 1):
        progress((number - 1) / options.rounds, f"measuring, round {number}")
        counts = whole.after(goal, number, options.rounds)
        model, kept, measured = _round(model, kept, batches, counts, named, options.seed)
        influence = influence or measured
        if options.recovery is not None:
            choice: LayerChoice = "spaced" if named else "greedy"  # that matches the top to the top
            asked = replace(
                options.recovery,
                layers=tuple(kept.layers),
                layer_choice=choice,
                max_length=options.max_length,
            )
            folder = work / f"round-{number}"
            distill(
                directory,
                tasks,
                source,
                asked,
                work=folder / "training",
                out=folder / "model",
                progress=_part(progress, number, options.rounds),
                student=model,
            )
    pruned = Pruned(
        tuple(kept.layers), kept.units, kept.heads, influence, before, parameters(model),
        structure.silent_parameters(model),
    )  # fmt: skip
    declare(model.config, None)  # the cuts of an elastic student were of its whole layers
    card = cards.card("Pruned checkpoint", _card_lines(directory.name, kept, whole))
    checkpoints.save(model, directory, out, card)
    (out / RECORD).write_text(json.dumps({"format": 1} | asdict(pruned)), encoding="utf-8")
    return pruned


def _model(directory: Path, tasks: Sequence[Task]) -> Any:
    """The model, its labels in the order of the tasks' gold labels."""
    model = load_checkpoint(directory).float()  # whatever it is stored in
    opened = TorchPredictor(directory, model, "fp32")
    remedy = "give tasks whose labels the model has"
    in_order(opened, label_order(opened, tasks, bool(opened.labels), remedy))
    return model


def _counts(model: Any) -> _Counts:
    sizes = family_of(model).sizes(model.config)
    return _Counts(sizes.layers, sizes.feed_forward, sizes.heads)


def _goal(whole: _Counts, size: Size) -> tuple[_Counts, list[int]]:
    """What is left after the last round, and the layers that are named."""
    named: list[int] = []
    if size.layers is None or isinstance(size.layers, int):
        layers = wanted("layers", size.layers, whole.layers)
    else:
        named = choose_layers(size.layers, whole.layers)
        layers = len(named)
    units = wanted("ffn", size.units, whole.units)
    return _Counts(layers, units, wanted("heads", size.heads, whole.heads)), named


def _round(
    model: Any,
    kept: _Kept,
    batches: Sequence[Tensors],
    counts: _Counts,
    named: Sequence[int],
    seed: int,
) -> tuple[Any, _Kept, list[float]]:
    """Prune a model to these counts.

    Args:
        kept: what the model has, numbered as in the model that is pruned.
        named: layers that are kept whatever their importance is, in the same numbers.

    Returns:
        The model, what is left of it, and the influence of its layers before this round.
    """
    measured = measure(model, batches, seed)
    influence = measured.influence
    layers, units = kept.layers, kept.units
    if counts.layers < len(layers):
        always = [layers.index(layer) for layer in named]
        if not named and family_of(model).first_layer_reason(model.config):
            always = [0]
        chosen = least_similar(influence, counts.layers, always)
        model = cut(model, chosen)
        layers, units = [layers[k] for k in chosen], [units[k] for k in chosen]
        measured = measure(model, batches, seed)
    by_layer = strongest(measured.units, counts.units)
    structure.keep_units(model, by_layer)
    units = [[numbers[k] for k in chosen] for numbers, chosen in zip(units, by_layer, strict=True)]
    heads = strongest(measured.heads, counts.heads)
    every_head = set(range(model.config.num_attention_heads))
    structure.silence_heads(model, [every_head - set(chosen) for chosen in heads])
    return model, _Kept(layers, units, heads), influence


def _card_lines(name: str, kept: _Kept, whole: _Counts) -> list[str]:
    return [
        f"pruned from: {name}",
        f"layers kept: {', '.join(map(str, kept.layers))} of {whole.layers}",
        f"feed-forward units per layer: {len(kept.units[0])} of {whole.units}",
        f"attention heads per layer: {len(kept.heads[0])} of {whole.heads}, the others are zero",
    ]


def _part(progress: Progress, number: int, rounds: int) -> Progress:
    """Progress within one round, as progress of the whole."""

    def within(fraction: float, text: str) -> None:
        progress((number - 1 + fraction) / rounds, f"round {number}: {text}")

    return within


def parameters(model: Any) -> dict[str, int]:
    """Parameters by part: embeddings, attention, feed-forward, and all others."""
    counts = {"embeddings": 0, "attention": 0, "feed-forward": 0, "other": 0}
    family = family_of(model)
    stack, attention = f"{family.stack_name(model)}.", f"{family.layer.attention}."
    for name, weight in model.named_parameters():
        part = "embeddings" if "embeddings." in name else "other"
        if name.startswith(stack):
            inside = name.removeprefix(stack).partition(".")[2]
            part = "attention" if inside.startswith(attention) else "feed-forward"
        counts[part] += weight.numel()
    return counts
