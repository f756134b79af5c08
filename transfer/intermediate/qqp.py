"""QQP: do two questions ask the same? 363,846 training pairs of Quora.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].label
'0'

The labels are PAWS-X's, `1` where the two mean the same, so a head carries over to it. Accuracy is
the main metric, F1 of `1` is reported with it. A few rows of GLUE's training file lack columns and
are left out, as by its other readers; where more than one in 1,000 do, the file is refused.

Source: Iyer, Dandekar & Csernai 2017, "First Quora Dataset Release: Question Pairs", split as by
GLUE. As an intermediate task: Phang et al. 2020, arXiv:2005.13013.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.data.glue import GlueTask
from evalsuite.task import Split


class Qqp(GlueTask):
    """The QQP task."""

    name = "qqp"
    title = "QQP"
    labels: tuple[str, ...] = ("0", "1")
    also = ("f1",)
    positive = "1"
    spellings: ClassVar[Mapping[str, str]] = {"not_duplicate": "0", "duplicate": "1"}
    fields = ("question1", "question2", "is_duplicate")
    short = 0.001
    config = "qqp"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("qqp/train-en.tsv", "qqp/train.tsv"),
        "dev": ("qqp/dev-en.tsv", "qqp/dev.tsv"),
    }
    layout = "qqp/train-en.tsv, qqp/dev-en.tsv (or train.tsv, dev.tsv, as GLUE has them)"
    licence = "Quora's terms of service; non-commercial"
    citation = "Iyer et al. 2017, First Quora Dataset Release: Question Pairs"
    url = "https://quoradata.quora.com/First-Quora-Dataset-Release-Question-Pairs"


TASK = Qqp()
