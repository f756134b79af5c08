"""A budget in megabytes or milliseconds, and the student that is expected to meet it.

>>> read_budget("12MB"), read_budget("5 ms")
(Budget(megabytes=12.0, milliseconds=None), Budget(megabytes=None, milliseconds=5.0))

What is expected is arithmetic: bytes of int8 weights, and operations of a sentence of 32 tokens at
the speed of two ordinary cores. The run measures both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.inference.checkpoint_config import model_config
from recipes.errors import RecipesError

TOKENS = 32
_SPEED = 120e9  # operations per second in int8, one sentence at a time (docs/compact.md)
_GRAPH = 0.6e6  # bytes of a bundle's graph without its weights
_DEPTHS = (12, 8, 6, 4, 3, 2)
_LEAST_PIECES = 8000
_INT4 = 0.52  # bytes of a weight of int4 embeddings, their scales included (measured)
SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "intermediate_size": 1536}


@dataclass(frozen=True, slots=True)
class Budget:
    """Either may be absent."""

    megabytes: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Student:
    """Layers of the student, pieces of its vocabulary (None for all), and how they are stored."""

    layers: int
    pieces: int | None = None
    int4_embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a model: layers, width, feed-forward units, and pieces of its vocabulary.

    `narrow` is how many numbers a piece has, where these are fewer than the width.
    """

    layers: int
    width: int
    units: int
    pieces: int
    narrow: int | None = None

    @property
    def words(self) -> int:
        """Numbers per piece of the vocabulary."""
        return self.narrow or self.width

    def parameters(self, layers: int) -> int:
        """Of this number of its layers, without word embeddings."""
        return layers * (4 * self.width**2 + 2 * self.width * self.units + 9 * self.width)

    def megabytes(self, student: Student) -> float:
        """Of an int8 bundle."""
        weight = _INT4 if student.int4_embeddings else 1.0
        words = (self.pieces if student.pieces is None else student.pieces) * self.words * weight
        return (self.parameters(student.layers) + words + _GRAPH) / 1e6

    def milliseconds(self, layers: int) -> float:
        """Per sentence, in int8."""
        return 1000 * 2 * TOKENS * self.parameters(layers) / _SPEED


def read_budget(text: str) -> Budget:
    """A number with its unit.

    Raises:
        RecipesError: it is none.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(mb|ms)\s*", text, re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise RecipesError(f"--budget {text}: write megabytes or milliseconds, as 12MB or 5ms")
    value = float(match[1])
    return Budget(value, None) if match[2].lower() == "mb" else Budget(None, value)


def shape_of(model: Path | None) -> Shape:
    """Of a checkpoint; where it is not at hand, of a small multilingual encoder of the hub."""
    config: Mapping[str, Any] = model_config(model) if model else {}
    width = int(config.get("hidden_size", SMALL["hidden_size"]))
    return Shape(
        int(config.get("num_hidden_layers", SMALL["num_hidden_layers"])),
        width,
        int(config.get("intermediate_size") or 4 * width),
        int(config.get("vocab_size", 250_002)),
        config.get("embedding_size"),
    )


def student_for(shape: Shape, budget: Budget | None, can_trim: bool) -> Student:
    """Half of the layers, or as many as fit into the budget; then the pieces there is room for.

    Raises:
        RecipesError: no student fits; says how small one gets.
    """
    half = max(1, shape.layers // 2)
    if budget is None:
        return Student(half)
    depths = sorted({half, *(depth for depth in _DEPTHS if depth <= half)}, reverse=True)
    if budget.milliseconds is not None:
        fits = [depth for depth in depths if shape.milliseconds(depth) <= budget.milliseconds]
        if not fits:
            raise RecipesError(
                f"--budget {budget.milliseconds:g}ms: {depths[-1]} layers of this model are "
                f"expected to take {shape.milliseconds(depths[-1]):.1f} ms; start from a narrower "
                "one"
            )
        return Student(fits[0])
    assert budget.megabytes is not None
    return _within(shape, budget.megabytes, depths, can_trim)


def _within(shape: Shape, megabytes: float, depths: list[int], can_trim: bool) -> Student:
    """The deepest student with room for a vocabulary: in int8 where all of it fits, or int4."""
    for depth in depths:
        for whole in (Student(depth), Student(depth, None, True)):
            if shape.megabytes(whole) <= megabytes:
                return whole
        left = megabytes - shape.megabytes(Student(depth, 0))
        room = left * 1e6 / shape.words / _INT4
        layers = shape.parameters(depth) / 1e6
        fair = layers <= megabytes / 2.5 or depth == depths[-1]
        if can_trim and room >= _LEAST_PIECES and fair:
            return Student(depth, int(room // 100 * 100), True)
    smallest = Student(depths[-1], _LEAST_PIECES if can_trim else None, True)
    remedy = "start from a narrower model"
    if not can_trim:
        remedy = "to cut the vocabulary too, give text: --data-dir DIR or --text FILE"
    raise RecipesError(
        f"--budget {megabytes:g}MB: {depths[-1]} layers in int8 are expected to take "
        f"{shape.megabytes(smallest):.1f} MB\n" + remedy
    )
