"""Find the stages: one file each in `recipes/stages`.

>>> load_stage("fuse").Config.__module__
'recipes.stages.fuse'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from evalsuite.catalog import Catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from recipes.stages._shared.contract import (
        Artifact,
        DataNeed,
        StageConfig,
        StageContext,
        Summary,
    )

STAGES: Catalogue[ModuleType] = Catalogue(
    "recipes.stages", "stage", marks=("VERSION", "Config", "run"), group="stages"
)


class StageModule(Protocol):
    """What `recipes/stages/<kind>.py` holds; see `recipes.stages._shared.contract`.

    `LABELS_MATTER`, `LINEAGE_MATTERS`, `ALONE`, `PASS` and `cost` are optional, as is
    `unused_keys(config)`: what is wrong with keys that are written and change nothing.
    """

    VERSION: int
    Config: type[StageConfig]

    def check(
        self, config: StageConfig, inputs: Mapping[str, tuple[Artifact, ...]]
    ) -> Artifact: ...
    def data(self, config: StageConfig, gives: Artifact) -> tuple[DataNeed, ...]: ...
    def run(self, config: StageConfig, ctx: StageContext) -> Summary: ...


def stage_kinds() -> tuple[str, ...]:
    """Names of the stage files, sorted."""
    return STAGES.names()


def load_stage(kind: str) -> StageModule:
    """Import one stage's module; `kind` must be one of `stage_kinds()`."""
    return cast(StageModule, STAGES.get(kind))
