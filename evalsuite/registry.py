"""The catalogues of this package: what files there are of each kind.

>>> TASKS.names()[-3:]
('xcopa', 'xnli', 'xquad')
>>> TASKS.get("xnli").labels
('entailment', 'neutral', 'contradiction')
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from evalsuite.catalog import Catalogue

if TYPE_CHECKING:
    from evalsuite.family import Family
    from evalsuite.metric import Metric
    from evalsuite.task import Task

TASKS: Catalogue[Task] = Catalogue("evalsuite.tasks", "task", attribute="TASK", group="tasks")
METRICS: Catalogue[Metric] = Catalogue(
    "evalsuite.metrics", "metric", attribute="METRIC", group="metrics"
)
FAMILIES: Catalogue[Family] = Catalogue("evalsuite.families", "model family", attribute="FAMILY")
OWN_FORMATS: Catalogue[ModuleType] = Catalogue("evalsuite.own.formats", "format")
FORMATS: Catalogue[ModuleType] = Catalogue("evalsuite.formats", "format")
RUNTIMES: Catalogue[ModuleType] = Catalogue(
    "evalsuite.runtimes", "runtime", marks=("opens", "open_model"), group="runtimes"
)
