"""Which adapters can be combined.

Both `lingopress check` and the fuse itself call these functions. They import nothing heavy. Each
gives what is wrong in words, empty where all is well.

>>> first = Described("the model", "base", "lora", "fp32", "fp32", rank=8)
>>> alike_problems([first, replace(first, name="others: adapter 1", precision="nf4")], "cat")
['others: adapter 1 was trained with precision: nf4, the model with fp32; train all with the same']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.fuse.combinations import Combination, by_factor


@dataclass(frozen=True, slots=True)
class Described:
    """What the rules read of an adapter, before or after it is there.

    Attributes:
        name: of the adapter, in messages.
        base: equal for two adapters of one base.
        where: the base's directory, where it is known.
    """

    name: str
    base: object
    method: str
    precision: str
    embeddings: str
    rank: int
    dora: bool = False
    where: str = ""


def alike_problems(adapters: Sequence[Described], combine: Combination) -> list[str]:
    """Why adapters cannot be combined; the first is the one whose head is kept."""
    if not adapters:
        return []
    first = adapters[0]
    problems = [
        f"{adapter.name} was trained with dora, whose magnitudes no sum of updates can say; train "
        "all the adapters with dora: false, or fuse one alone"
        for adapter in adapters
        if adapter.dora
    ]
    for other in adapters[1:]:
        if other.base != first.base:
            where = f" ({other.where}, not {first.where})" if other.where else ""
            problems.append(
                f"{other.name} was trained on another base than {first.name}{where}; train all on "
                "the same checkpoint"
            )
        for key in ("method", "precision", "embeddings"):
            one, two = getattr(first, key), getattr(other, key)
            if one != two:
                problems.append(
                    f"{other.name} was trained with {key}: {two}, {first.name} with {one}; train "
                    "all with the same"
                )
    ranks = sorted({adapter.rank for adapter in adapters})
    if by_factor(combine) and len(ranks) > 1:
        problems.append(
            f"combine: {combine} needs adapters of one rank, these have "
            f"{', '.join(map(str, ranks))}; use cat or svd, or train them with the same"
        )
    return problems


def weights_problem(weights: int, adapters: int) -> str:
    """Why this number of weights does not fit."""
    if weights == adapters:
        return ""
    return f"weights: {weights} for {adapters} adapters; give one for each, the model's first"
