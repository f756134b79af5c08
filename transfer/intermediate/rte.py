"""RTE: does one text entail another? GLUE's version of four challenges, 2,490 training pairs.

>>> TASK.load(DataSource("xtreme", Path("data")), "train", "en")[0].label
'not_entailment'

Two labels: neutral and contradiction are one. An intermediate task of Pruksachatkun et al. 2020
(arXiv:2005.00628), not of Phang et al. 2020.

Papers: Dagan et al. 2006, Bar Haim et al. 2006, Giampiccolo et al. 2007, Bentivogli et al. 2009.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.glue import GlueTask
from evalsuite.task import Split


class Rte(GlueTask):
    """The RTE task."""

    name = "rte"
    title = "RTE"
    labels: tuple[str, ...] = ("entailment", "not_entailment")
    fields = ("sentence1", "sentence2", "label")
    config = "rte"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("rte/train-en.tsv", "rte/train.tsv"),
        "dev": ("rte/dev-en.tsv", "rte/dev.tsv"),
    }
    layout = "rte/train-en.tsv, rte/dev-en.tsv (or train.tsv, dev.tsv, as GLUE has them)"
    licence = "not stated; collected by GLUE for research"
    citation = "Bentivogli et al. 2009, The Fifth PASCAL Recognizing Textual Entailment Challenge"
    url = "https://gluebenchmark.com/tasks"


TASK = Rte()
