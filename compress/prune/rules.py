"""How much of a model may be kept: sizes as a number or as a share.

Both `lingopress check` and the pruning itself call these functions, which import nothing heavy.
The rule for lists of layers is `compress.distill.rules.layers_problem`.
"""

from __future__ import annotations

from compress.errors import PruneError


def size_problem(asked: int | float, there: int | None = None) -> str | None:
    """What is wrong with a size; None where nothing is.

    >>> size_problem(1.5)
    'give how many to keep, a whole number from 1, or a share between 0 and 1'

    Args:
        there: how many the model has; None where that is not known yet.
    """
    if not (asked >= 1 if isinstance(asked, int) else 0 < asked < 1):
        return "give how many to keep, a whole number from 1, or a share between 0 and 1"
    if isinstance(asked, int) and there is not None and asked > there:
        return f"{asked}: the model has {there}; ask for 1 to {there}"
    return None


def wanted(key: str, asked: int | float | None, there: int) -> int:
    """How many are to be left of those there are.

    >>> wanted("ffn", 0.5, 3072), wanted("heads", None, 12)
    (1536, 12)

    Raises:
        PruneError: `size_problem` finds a problem.
    """
    if asked is None:
        return there
    if problem := size_problem(asked, there):
        raise PruneError(f"{key}: {problem}")
    return max(1, round(asked * there)) if isinstance(asked, float) else asked


def share(there: int, goal: int, number: int, rounds: int) -> int:
    """How many are left after a round, in equal steps.

    >>> [share(12, 6, number, 3) for number in (1, 2, 3)]
    [10, 8, 6]
    """
    return round(there - (there - goal) * number / rounds)
