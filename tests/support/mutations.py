"""Checkpoint directories that were harmed in one place, drawn from a seed.

>>> names = [harm.name for harm in draw(3, seed=0)]
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tests.support.harmed import Weights, change_json, change_weights

FILES = ("config.json", "model.safetensors", "tokenizer.json")
VALUES: tuple[Any, ...] = (None, True, -1, 0, 1.5, "x", "", [], {}, [1], {"a": 1}, 10**18)


@dataclass(frozen=True, slots=True)
class Harm:
    """What is done to a directory, and its name for a message."""

    name: str
    apply: Callable[[Path], object]


def draw(count: int, seed: int) -> Iterator[Harm]:
    """So many harms, of every kind in turn."""
    kinds = (_cut, _file, _value, _tensor, _tokenizer_value)
    generator = random.Random(seed)
    for number in range(count):
        yield kinds[number % len(kinds)](generator)


def _cut(generator: random.Random) -> Harm:
    file, share = generator.choice(FILES), generator.random()

    def apply(directory: Path) -> None:
        data = (directory / file).read_bytes()
        (directory / file).write_bytes(data[: int(share * len(data))])

    return Harm(f"{file} cut to {share:.3f}", apply)


def _file(generator: random.Random) -> Harm:
    file, other = generator.sample(FILES, 2)

    def swap(directory: Path) -> None:
        one, two = (directory / file).read_bytes(), (directory / other).read_bytes()
        (directory / file).write_bytes(two)
        (directory / other).write_bytes(one)

    def folder(directory: Path) -> None:
        (directory / file).unlink()
        (directory / file).mkdir()

    def garble(directory: Path) -> None:
        data = bytearray((directory / file).read_bytes())
        for place in range(8, 40):  # the start of JSON, and of a safetensors header
            data[place] ^= 0x80
        (directory / file).write_bytes(data)

    changes: dict[str, Callable[[Path], object]] = {
        "removed": lambda directory: (directory / file).unlink(),
        "emptied": lambda directory: (directory / file).write_bytes(b""),
        "renamed": lambda directory: (directory / file).rename(directory / f"{file}.old"),
        f"swapped with {other}": swap,
        "a folder": folder,
        "garbled": garble,
    }
    name = generator.choice(sorted(changes))
    return Harm(f"{file} {name}", changes[name])


def _value(generator: random.Random) -> Harm:
    """A value of the config in another type."""
    place, value = generator.random(), generator.choice(VALUES)

    def apply(directory: Path) -> None:
        def change(config: dict[str, Any]) -> None:
            names = sorted(config)
            name = names[int(place * len(names))]
            config[name] = _other_type(config[name], value)

        change_json(directory / "config.json", change)

    return Harm(f"config.json value {place:.4f} is {value!r}", apply)


def _other_type(old: Any, value: Any) -> Any:
    """The value, or one of another type where it has the old one's."""
    return [value] if type(value) is type(old) else value


def _tokenizer_value(generator: random.Random) -> Harm:
    """A value somewhere in the tokenizer in another type; null is one of many of them."""
    seed = generator.random()
    value = generator.choice([value for value in VALUES if value is not None])

    def apply(directory: Path) -> None:
        def change(tree: Any) -> None:
            local = random.Random(seed)
            while True:
                keys = sorted(tree) if isinstance(tree, dict) else range(len(tree))
                key = local.choice(list(keys))
                inner = tree[key]
                if not isinstance(inner, dict | list) or not inner or local.random() < 0.2:
                    tree[key] = _other_type(inner, value)
                    return
                tree = inner

        change_json(directory / "tokenizer.json", change)

    return Harm(f"tokenizer.json value {seed:.4f} is {value!r}", apply)


def _tensor(generator: random.Random) -> Harm:
    place, kind = generator.random(), generator.choice(sorted(_TENSORS))

    def apply(directory: Path) -> None:
        def change(weights: Weights) -> None:
            names = sorted(weights)
            _TENSORS[kind](weights, names[int(place * len(names))])

        change_weights(directory, change)

    return Harm(f"tensor {place:.4f} {kind}", apply)


def _reshape(weights: Weights, name: str) -> None:
    weights[name] = weights[name].flatten()[:-1].contiguous()


def _flatten(weights: Weights, name: str) -> None:
    weights[name] = weights[name][None].contiguous()


def _whole(weights: Weights, name: str) -> None:
    weights[name] = weights[name].round().long()


def _move(weights: Weights, name: str) -> None:
    weights[f"{name}.old"] = weights.pop(name)


_TENSORS: dict[str, Callable[[Weights, str], object]] = {
    "removed": lambda weights, name: weights.pop(name),
    "renamed": _move,
    "shorter": _reshape,
    "of one more axis": _flatten,
    "NaN": lambda weights, name: weights[name].view(-1)[:1].fill_(torch.nan),
    "infinite": lambda weights, name: weights[name].view(-1)[-1:].fill_(-torch.inf),
    "of integers": _whole,
}
