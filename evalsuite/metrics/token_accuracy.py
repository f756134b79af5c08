"""Share of words with the right tag, whatever sentence they are in.

>>> token_accuracy([["DET", "NOUN"], ["VERB"]], [["DET", "VERB"], ["VERB"]])
66.66666666666667
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.metrics.accuracy import accuracy


def token_accuracy(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Percent of words whose tags agree; a long sentence weighs more than a short one.

    Raises:
        ValueError: the two differ in sentences, or in the length of one.
    """
    check_shape(gold, predicted)
    return accuracy([tag for row in gold for tag in row], [tag for row in predicted for tag in row])


def check_shape(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Refuse two tag sequences that are not of the same sentences."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} predicted sentences for {len(gold)}")
    if [*map(len, gold)] == [*map(len, predicted)]:
        return
    for number, (row, guess) in enumerate(zip(gold, predicted, strict=True)):
        if len(row) != len(guess):
            raise ValueError(f"sentence {number}: {len(guess)} predicted tags for {len(row)} words")
