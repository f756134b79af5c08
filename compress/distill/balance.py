"""Plain text is drawn so that the labels the teacher gives to it are equally frequent.

>>> drawn, counts = equally_often(["sports", "travel", "travel", "travel"], 6, seed=1)
>>> sorted(drawn), counts
([0, 0, 0, 1, 2, 3], {'sports': 1, 'travel': 3})

Text that was collected for something else has few rows of most labels, so a student learns little
about those from it. Noisy Student (Xie et al. 2020) balances its unlabelled images in this way;
rows of rare labels are drawn several times, here at most `REPEATS` times as often as each row of
the text would be without balancing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from compress.distill.options import Options
from compress.distill.targets import Targets
from compress.distill.training_text import TrainingText
from transfer.loop.batch_plan import Batch, plan
from transfer.loop.types import Summary

REPEATS = 10


def balanced(
    text: TrainingText, targets: Targets, labels: Sequence[str], options: Options
) -> tuple[TrainingText, Summary]:
    """The text with other rows in the batches of plain text, and an entry of the summary.

    Args:
        targets: the teacher's logits of all plain text, `[labels]` per row.
        labels: of the teacher, in the order of the logits.
    """
    part = len(text.parts) - 1
    given = [labels[number] for number in targets.best(part)]
    places = [number for number, batch in enumerate(text.batches) if batch.part == part]
    seed, size = options.settings.seed, options.batch_size
    drawn, counts = equally_often(given, len(places) * size, seed)
    lengths = text.parts[part].lengths()
    batches = list(text.batches)
    new = plan([lengths[row] for row in drawn], size, len(places), seed, part) if places else []
    for place, batch in zip(places, new, strict=True):
        rows = tuple(drawn[index] for index in batch.indices)
        batches[place] = Batch(part, rows, batch.seed)
    shown = ", ".join(f"{label} {counts.get(label, 0):,}" for label in labels)
    return replace(text, batches=batches), {"the teacher's labels of plain text": shown}


def equally_often(given: Sequence[str], count: int, seed: int) -> tuple[list[int], dict[str, int]]:
    """Rows so that each label has as many, and how many rows have each label.

    Rows of a label are drawn in a random order, again from the start when all were. A label with
    few rows has at most `REPEATS` times its share of the text, and the others have the rest.

    Args:
        given: the label of each row.
        count: rows to draw.
    """
    rng = random.Random(seed)
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(given):
        rows.setdefault(label, []).append(row)
    for own in rows.values():
        rng.shuffle(own)
    drawn: list[int] = []
    per_row = REPEATS * count / max(len(given), 1)
    fewest_first = sorted(rows, key=lambda label: (len(rows[label]), label))
    for place, label in enumerate(fewest_first):
        own = rows[label]
        share = (count - len(drawn)) / (len(fewest_first) - place)
        number = round(min(share, max(per_row, 1) * len(own)))
        drawn += [own[index % len(own)] for index in range(number)]
    return drawn, {label: len(own) for label, own in rows.items()}
