"""Whether a teacher's logits are kept, or computed with every batch; `plan` asks it too.

>>> worth_caching(options, drawn=9_600, rows=2_000)     # each row is read five times
True
"""

from __future__ import annotations

from compress.distill.rules import Terms


def worth_caching(terms: Terms, drawn: float, rows: float) -> bool:
    """Whether the teacher's logits are computed once per row, before training.

    By default they are where only logits are matched and rows are read more than once.

    Args:
        drawn: rows of all batches.
        rows: different rows there are.
    """
    if terms.others or terms.balance_labels:
        return True
    inside = terms.hidden > 0 or terms.relations > 0
    saves = terms.logits > 0 and not inside and drawn > rows
    return terms.cache == "always" or (terms.cache == "auto" and saves)
