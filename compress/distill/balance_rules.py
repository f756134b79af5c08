"""Where plain text cannot be balanced by the labels that the teacher gives to it.

>>> balance_problems(config, "tagging", "label")  # with balance_labels: true
['balance_labels: needs a teacher that gives one label per text, and it has a tagging head; ...']
"""

from __future__ import annotations

from typing import Protocol

from evalsuite.inference.checkpoint_config import Answers
from evalsuite.inference.task_head import GIVES

_HEAD = "pair"  # of models that classify one text or two


class Balanced(Protocol):
    """The keys of a stage, or the fields of `Options`, on which balancing depends."""

    @property
    def balance_labels(self) -> bool:
        """Whether plain text is balanced."""

    @property
    def logits(self) -> float:
        """Weight of the loss on logits."""

    @property
    def cache(self) -> str:
        """When the teacher's logits are computed: auto, always or never."""

    @property
    def stream(self) -> object:
        """Text that is read in shards, or None."""


def balance_problems(
    terms: Balanced, head: str | None, answers: Answers | None, plain: float = 1.0
) -> list[str]:
    """What does not go with `balance_labels`; nothing where it is off.

    Args:
        head: format of the teacher's head; None where it is not known, or there is none.
        answers: what the head gives per row; None where that is not known.
        plain: share of batches that are plain text.
    """
    if not terms.balance_labels:
        return []
    key = "balance_labels"
    problems = []
    if terms.logits == 0:
        problems.append(
            f"{key}: chooses text by the teacher's labels, and no logits are matched: logits is 0, "
            "or the teacher has no task head; leave it out"
        )
    elif head not in (None, _HEAD) or answers not in (None, "label"):
        has = f"it has a {head} head" if head != _HEAD else f"it gives {GIVES[answers or 'label']}"
        problems.append(
            f"{key}: needs a teacher that gives one label per text, and {has}; leave it out"
        )
    if plain == 0:
        problems.append(
            f"{key}: with multilingual: 0 no plain text is read; set multilingual above 0, or "
            f"leave {key} out"
        )
    if terms.stream is not None:
        problems.append(
            f"{key}: the teacher reads all text before training, and a stream is read while "
            "training; leave it out, or use text"
        )
    if terms.cache == "never":
        problems.append(f"{key}: computes the teacher's labels before training; leave cache out")
    return problems
