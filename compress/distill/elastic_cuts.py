"""The sizes at which an elastic student was trained, as its `config.json` declares them.

>>> cuts = nested(6, [4, 3], 1536, [768])
>>> cuts.layers
((0, 1, 2, 3, 4, 5), (1, 2, 3, 5), (1, 3, 5))
>>> cuts.find(4, 768)
Cut(layers=(1, 2, 3, 5), ffn=768)
>>> config = {"elastic_cuts": cuts.as_json()}

A cut is some of the student's layers, and of each of them the first feed-forward units. Smaller
ones lie inside larger ones (Matryoshka). transformers ignores the entry and keeps it: it means
something only in a model of the size that it names as the largest, so a model that was cut or
pruned has no cuts. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compress.distill.rules import choose_layers
from compress.errors import StudentError
from evalsuite.find_family import family_of

KEY = "elastic_cuts"  # in config.json


@dataclass(frozen=True, slots=True)
class Elastic:
    """Smaller sizes at which a student is trained as well: none keeps the student's own."""

    layers: tuple[int, ...] = ()
    ffn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """One size.

    Attributes:
        layers: of the elastic student, counted from 0, the lowest.
        ffn: feed-forward units per layer, the first ones.
    """

    layers: tuple[int, ...]
    ffn: int

    def __str__(self) -> str:
        return f"{len(self.layers)} layers with {self.ffn} units"


@dataclass(frozen=True, slots=True)
class Cuts:
    """All sizes of an elastic student, the largest first; each depth goes with each width.

    Attributes:
        layers: the layers of each depth.
        ffn: the feed-forward units per layer of each width.
    """

    layers: tuple[tuple[int, ...], ...]
    ffn: tuple[int, ...]

    def all(self) -> tuple[Cut, ...]:
        """Every size, the largest first."""
        return tuple(Cut(layers, ffn) for layers in self.layers for ffn in self.ffn)

    def find(self, layers: int | None, ffn: int | None) -> Cut:
        """A size by its number of layers and of units; None is the largest.

        Raises:
            StudentError: it was not trained at this size; the message lists those that were.
        """
        depths = {len(chosen): chosen for chosen in self.layers}
        depth, width = layers or max(depths), ffn or max(self.ffn)
        if problem := untrained(depth, width, depths, self.ffn):
            raise StudentError(problem)
        return Cut(depths[depth], width)

    def text(self) -> str:
        """For a stage's summary: `layers 6, 4, 3; ffn 1536, 768`."""
        return sizes_text([len(chosen) for chosen in self.layers], self.ffn)

    def as_json(self) -> dict[str, Any]:
        """For `config.json`."""
        return {"layers": [list(chosen) for chosen in self.layers], "ffn": list(self.ffn)}


def untrained(
    layers: int | None, ffn: int | None, depths: Collection[int], widths: Collection[int]
) -> str | None:
    """Why there is no cut of this size; None where there is one.

    >>> untrained(5, 768, [6, 4], [1536, 768])
    'layers: 5: the student was not trained at this size; trained: layers 6, 4; ffn 1536, 768'

    Args:
        layers, ffn: that are asked for; None: the largest.
        depths, widths: at which the student was trained; none where that is not known.
    """
    for key, asked, there in (("layers", layers, depths), ("ffn", ffn, widths)):
        if asked is not None and there and asked not in there:
            return (
                f"{key}: {asked}: the student was not trained at this size; trained: "
                f"{sizes_text(depths, widths)}"
            )
    return None


def sizes_text(depths: Iterable[int], widths: Iterable[int]) -> str:
    """Numbers of layers and of units, the largest first."""
    listed = {"layers": _list(depths), "ffn": _list(widths)}
    return "; ".join(f"{key} {numbers}" for key, numbers in listed.items() if numbers)


def sizes_problem(
    elastic: Elastic, layers: int | None = None, ffn: int | None = None
) -> str | None:
    """What is wrong with the sizes of an elastic student; None where nothing is.

    >>> sizes_problem(Elastic(layers=(8,)), layers=6)
    'layers: 8: the student has 6; give smaller numbers of layers, from 1 to 5'

    Args:
        layers, ffn: of the student; None where they are not known yet.
    """
    for key, sizes, whole in (("layers", elastic.layers, layers), ("ffn", elastic.ffn, ffn)):
        noun = "layers" if key == "layers" else "units"
        if len(set(sizes)) < len(sizes):
            return f"{key}: {_list(sizes)}: give each size once"
        wrong = [size for size in sizes if size < 1 or (whole is not None and size > whole)]
        if wrong and whole is None:
            return f"{key}: {wrong[0]}: give numbers of {noun}, from 1"
        if wrong and whole is not None:
            return (
                f"{key}: {wrong[0]}: the student has {whole}; give smaller numbers of {noun}, from "
                f"1 to {whole - 1}"
            )
    if set(elastic.layers) <= {layers} and set(elastic.ffn) <= {ffn}:
        return "give layers or ffn: smaller sizes at which the student is trained as well"
    return None


def _list(sizes: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(sizes, reverse=True)))


def nested(
    layers: int,
    depths: Sequence[int],
    units: int,
    widths: Sequence[int],
    choose: Callable[[int, Sequence[int]], Sequence[int]] | None = None,
    *,
    keep_first: bool = False,
) -> Cuts:
    """The cuts of a student; each depth keeps some layers of the next larger one.

    Args:
        layers, units: of the student.
        depths, widths: smaller sizes, in any order.
        choose: (number of layers to keep, layers of the next larger depth) -> the layers that are
            kept; default: evenly spaced ones, the last among them.
        keep_first: evenly spaced ones from the first one on.

    Raises:
        StudentError: `sizes_problem` finds a problem.
    """
    elastic = Elastic(tuple(depths), tuple(widths))
    if problem := sizes_problem(elastic, layers, units):
        raise StudentError(f"elastic: {problem}")
    chosen = [tuple(range(layers))]
    for depth in sorted(set(depths) - {layers}, reverse=True):
        larger = chosen[-1]
        if choose is None:
            kept = [larger[k] for k in choose_layers(depth, len(larger), keep_first)]
        else:
            kept = sorted(choose(depth, larger))
        chosen.append(tuple(kept))
    return Cuts(tuple(chosen), tuple(sorted({units, *widths}, reverse=True)))


def declared(
    config: Mapping[str, Any], layers: int | None = None, units: int | None = None
) -> Cuts | None:
    """The cuts that a config declares; None where it declares none for a model of this size.

    Args:
        config: entries of `config.json`.
        layers, units: of the model, as it is; None: whatever they are.

    Raises:
        StudentError: the entry is damaged.
    """
    written = config.get(KEY)
    if written is None:
        return None
    try:
        found = Cuts(
            tuple(tuple(int(layer) for layer in chosen) for chosen in written["layers"]),
            tuple(int(width) for width in written["ffn"]),
        )
        whole, widest = found.layers[0], found.ffn[0]
        right = whole == tuple(range(len(whole)))
        right = right and all(chosen and set(chosen) <= set(whole) for chosen in found.layers)
        right = right and all(list(c) == sorted(set(c)) for c in found.layers)
        right = right and all(1 <= width <= widest for width in found.ffn)
    except (KeyError, IndexError, TypeError, ValueError):
        right = False
    if not right:
        raise StudentError(
            f"config.json: {KEY} is damaged: it lists layers of each depth and units of each "
            "width, the largest first; copy the checkpoint again"
        )
    same = layers in (None, len(whole)) and units in (None, widest)
    return found if same else None


def cuts_of(config: Any) -> Cuts | None:
    """What a config of transformers declares; None where it declares nothing.

    Raises:
        UnknownNameError: the model's family is not known.
        StudentError: the entry is damaged.
    """
    if getattr(config, KEY, None) is None:
        return None
    sizes = family_of(config).sizes(config)
    return declared({KEY: getattr(config, KEY)}, sizes.layers, sizes.feed_forward)


def declare(config: Any, cuts: Cuts | None) -> None:
    """Write the sizes into a config, or take out what it declares, in place."""
    if cuts is not None:
        setattr(config, KEY, cuts.as_json())
    elif hasattr(config, KEY):
        delattr(config, KEY)
