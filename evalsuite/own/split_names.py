"""Words in names of files and columns that name a split.

>>> SPLITS["valid"], "de" in SPLITS
('dev', False)
"""

from __future__ import annotations

from evalsuite.task import Split

SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("dev", "val", "valid", "validation", "devel", "development"), "dev"),
    **dict.fromkeys(("test", "tst", "testing", "eval", "evaluation"), "test"),
}
