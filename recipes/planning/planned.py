"""A recipe's stages, ready to run, and all of them in an order in which inputs come first.

>>> plan.find("int8[size=base]")
['int8[size=base]']
"""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.task import DataSource
from recipes.parsing.recipe_file import Loaded
from recipes.parsing.references import parse_reference
from recipes.planning.external_models import External
from recipes.stages._shared import registry
from recipes.stages._shared.contract import Artifact, StageConfig


@dataclass(frozen=True, slots=True)
class Planned:
    """One stage instance, ready to run.

    Attributes:
        reads: digests of the rows and of the models from outside that its key was made of.
    """

    label: str
    name: str
    kind: str
    where: str
    config: StageConfig
    inputs: dict[str, tuple[str, ...]]  # role -> labels, of stages or of `Plan.externals`
    seed: int
    artifact: Artifact
    key: str = ""
    reads: tuple[str, ...] = ()

    @property
    def module(self) -> registry.StageModule:
        """Its code; looked up, so that a plan can be sent to another process."""
        return registry.load_stage(self.kind)

    def needs(self) -> list[str]:
        """All input labels, in order of role."""
        return [label for labels in self.inputs.values() for label in labels]


@dataclass(frozen=True, slots=True)
class Plan:
    """All stages in an order in which inputs come first."""

    loaded: Loaded
    data: DataSource
    stages: tuple[Planned, ...]
    externals: dict[str, External]

    def artifacts(self) -> dict[str, Artifact]:
        """Label -> what a stage gives, or a model from outside."""
        found = {label: model.artifact for label, model in self.externals.items()}
        return {stage.label: stage.artifact for stage in self.stages} | found

    def graph(self) -> dict[str, list[str]]:
        """Label -> labels of the stages it needs, in order."""
        labels = {stage.label for stage in self.stages}
        return {s.label: [n for n in s.needs() if n in labels] for s in self.stages}

    def find(self, name: str) -> list[str]:
        """Labels of a stage's variants that have the values named: `int8`, `int8[size=base]`."""
        wanted = parse_reference(name)
        if wanted is None:
            return []
        references = [(stage.label, parse_reference(stage.label)) for stage in self.stages]
        return [
            label
            for label, found in references
            if found is not None
            and found.name == wanted.name
            and wanted.variant.items() <= found.variant.items()
        ]
