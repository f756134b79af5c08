"""F1 of each label, mean over labels: a rare label counts as much as a frequent one.

As scikit-learn's `f1_score(average="macro")`: labels are those of the rows, gold or predicted; of
rows with any of several labels all that are annotated. Guessing gives every row the same answer,
the one that scores highest.
"""

from __future__ import annotations

from evalsuite.metrics._label_counts import f1_metric, macro

METRIC = f1_metric("macro", macro)
