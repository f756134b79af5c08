"""F1 over all rows and labels together: a frequent label counts more than a rare one.

As scikit-learn's `f1_score(average="micro")`. Of rows with one label each it is the accuracy; of
rows with any of several it weighs each label by how often it is there. Guessing gives every row the
same answer, the one that scores highest.
"""

from __future__ import annotations

from evalsuite.metrics._label_counts import f1_metric, micro

METRIC = f1_metric("micro", micro)
