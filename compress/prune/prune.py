"""Prune a checkpoint in rounds, each measured anew, with recovery distillation after each.

>>> pruned = prune(directory, [get("xnli")], source, Size(units=0.5, layers=9), options, ...)
>>> pruned.units[0][:3], pruned.layers
([0, 4, 5], (0, 1, 2, 4, 5, 7, 8, 9, 11))

A round takes away its share of the layers, then measures what is left and takes its share of the
units and heads; then the model is distilled from the unpruned one, if `recovery` says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from compress.distill.distill import distill
from compress.distill.options import Options
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.errors import PruneError
from compress.prune import structure
from compress.prune.importance import least_similar, measure, strongest
from compress.prune.importance_text import calibration
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource, Task
from transfer.loop.types import Progress
from transfer.models import cards, checkpoints

RECORD = "prune.json"


@dataclass(frozen=True, slots=True)
class Size:
    """What is to be left: a number, a share below 1, or None for all there is."""

    units: int | float | None = None  # of the feed-forward part, a layer
    heads: int | float | None = None  # a layer
    layers: int | Sequence[int] | None = None  # how many, or which of them


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune left, numbered as in the model it was made from.

    Attributes:
        layers: that are kept.
        units, heads: that are kept, by kept layer.
        influence: of every layer before the first round; see `compress.prune.importance`.
        before, after: parameters by part.
        silent: parameters after that are zeros of silent heads.
    """

    layers: tuple[int, ...]
    units: list[list[int]]
    heads: list[list[int]]
    influence: list[float]
    before: dict[str, int]
    after: dict[str, int]
    silent: int


def prune(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    size: Size,
    recovery: Options | None,
    *,
    rounds: int = 1,
    count: int = 256,
    max_length: int = 128,
    batch_size: int = 32,
    max_pairs: int | None = None,
    seed: int,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Pruned:
    """Write the pruned checkpoint to `out`, and beside it `prune.json`.

    Args:
        recovery: how to distil after each round, of which `layers` and `max_length` are not read;
            None: not at all.
        count: English rows, and other sentences, that importance is measured on.
        max_length: tokens, cut to what the model takes.

    Raises:
        PruneError: a size is not below what there is, or the architecture is not known.
        StudentError: the layers named are not the model's.
        DataError: training rows or parallel text are absent.
    """
    model = load_checkpoint(directory)
    before = parameters(model)
    longest = checkpoints.longest(directory, max_length)
    all_layers = len(structure.layers_of(model))
    width, all_heads = model.config.intermediate_size, model.config.num_attention_heads
    named: list[int] = []
    if size.layers is None or isinstance(size.layers, int):
        left = wanted("layers", size.layers, all_layers)
    else:
        named = choose_layers(size.layers, all_layers)
        left = len(named)
    goal = {
        "layers": left,
        "units": wanted("ffn", size.units, width),
        "heads": wanted("heads", size.heads, all_heads),
    }
    batches = calibration(
        directory, tasks, source, count=count, max_length=longest, batch_size=batch_size,
        max_pairs=max_pairs, seed=seed,
    )  # fmt: skip
    layers = list(range(all_layers))
    units = [list(range(width)) for _ in layers]
    heads: list[list[int]] = []
    influence: list[float] = []
    for number in range(1, rounds + 1):
        progress((number - 1) / rounds, f"measuring, round {number}")
        found = measure(model, batches, seed)
        influence = influence or found.influence
        keep = share(all_layers, goal["layers"], number, rounds)
        if keep < len(layers):
            kept = least_similar(found.influence, keep, [layers.index(own) for own in named])
            model = cut(model, kept)
            layers, units = [layers[k] for k in kept], [units[k] for k in kept]
            found = measure(model, batches, seed)
        by_layer = strongest(found.units, share(width, goal["units"], number, rounds))
        structure.keep_units(model, by_layer)
        units = [[own[k] for k in kept] for own, kept in zip(units, by_layer, strict=True)]
        heads = strongest(found.heads, share(all_heads, goal["heads"], number, rounds))
        structure.silence_heads(model, [set(range(all_heads)) - set(own) for own in heads])
        if recovery is not None:
            folder = work / f"round-{number}"
            distill(
                directory,
                tasks,
                source,
                replace(recovery, layers=tuple(layers), max_length=longest),
                work=folder / "training",
                out=folder / "model",
                progress=_part(progress, number, rounds),
                student=model,
            )
    pruned = Pruned(
        tuple(layers), units, heads, influence, before, parameters(model), _silent(model)
    )
    facts = [
        f"pruned from: {directory.name}",
        f"layers kept: {', '.join(map(str, layers))} of {all_layers}",
        f"feed-forward units a layer: {len(units[0])} of {width}",
        f"attention heads a layer: {len(heads[0])} of {all_heads}, the others zero",
    ]
    checkpoints.save(model, directory, out, cards.card("Pruned checkpoint", facts))
    (out / RECORD).write_text(json.dumps({"format": 1} | asdict(pruned)), encoding="utf-8")
    return pruned


def wanted(key: str, asked: int | float | None, there: int) -> int:
    """How many are to be left of those there are.

    >>> wanted("ffn", 0.5, 3072), wanted("heads", None, 12)
    (1536, 12)

    Raises:
        PruneError: more than there are.
    """
    if asked is None:
        return there
    number = max(1, round(asked * there)) if isinstance(asked, float) else asked
    if not 1 <= number <= there:
        raise PruneError(f"{key}: {asked}: the model has {there}; ask for 1 to {there}")
    return number


def share(there: int, goal: int, number: int, rounds: int) -> int:
    """How many are left after a round, in equal steps.

    >>> [share(12, 6, number, 3) for number in (1, 2, 3)]
    [10, 8, 6]
    """
    return round(there - (there - goal) * number / rounds)


def _part(progress: Progress, number: int, rounds: int) -> Progress:
    def within(fraction: float, text: str) -> None:
        progress((number - 1 + fraction) / rounds, f"round {number}: {text}")

    return within


def parameters(model: Any) -> dict[str, int]:
    """Parameters by part: embeddings, attention, feed-forward, and what is left."""
    found = {"embeddings": 0, "attention": 0, "feed-forward": 0, "other": 0}
    for name, weight in model.named_parameters():
        inside, _, tail = name.partition("encoder.layer.")[2].partition(".")
        part = "embeddings" if "embeddings." in name else "other"
        if inside:
            part = "attention" if tail.startswith("attention.") else "feed-forward"
        found[part] += weight.numel()
    return found


def _silent(model: Any) -> int:
    size, width = structure.head_size(model), model.config.hidden_size
    count = sum(len(silent) for silent in structure.silent_heads(model))
    return count * size * int(4 * width + 3)
