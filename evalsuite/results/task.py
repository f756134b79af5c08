"""The scores of one model on one task, and how it compares with another model."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, model_validator
from pydantic_core import PydanticCustomError

from evalsuite.results.numbers import Count, Percent, Points, Seconds, Share
from evalsuite.results.record import Environment, ModelInfo, Record
from evalsuite.task import SourceKind, Split


class ModelComparison(Record):
    """A model compared with another one on the same rows.

    Differences are in points of the main metric, positive where this model is better. Their
    intervals are those of the paired bootstrap. `p` is its two-sided p-value, where the null
    hypothesis is that the zero-shot means are equal.
    """

    label: str  # label of the other model
    agreement: dict[str, Percent]  # language -> percent of predictions that are equal
    intervals: dict[str, tuple[Points, Points]]  # language -> 95% interval of the difference
    zero_shot_interval: tuple[Points, Points] | None
    p: Share | None


class TaskResult(Record):
    """Scores of one model on one task.

    `metrics[name][language]` in percent; `metrics[main_metric]` is the one to report.
    """

    model: ModelInfo
    task: str
    title: str
    main_metric: str
    metrics: dict[str, dict[str, Percent]]
    intervals: dict[str, tuple[Percent, Percent]] = Field(
        {}
    )  # language -> 95% interval of the main metric
    zero_shot_interval: tuple[Percent, Percent] | None = None  # 95% interval of `zero_shot()`
    comparison: ModelComparison | None = Field(  # with the first model scored on the same rows
        None,
        validation_alias=AliasChoices("comparison", "beside"),  # "beside" until version 6
    )
    chance: dict[str, Percent]  # language -> score of guessing, main metric
    examples: dict[str, Count]  # language -> rows
    left_out: dict[str, dict[str, Count]] = Field({})  # language -> reason -> rows not used
    absent_languages: tuple[str, ...]  # the benchmark lists them, the source has no rows
    source: SourceKind
    split: Split
    source_language: str
    data_digest: str
    layer: int | None = None  # where embeddings are scored: 0 is the embeddings' own
    pooling: str | None = None
    scoring: Literal["cosine", "margin"] | None = None  # how neighbours are compared
    thresholds: dict[str, float] = Field({})  # mining only: language -> lowest margin of a pair
    unreached: dict[str, Count] = Field({})  # spans only: language -> answers no token reaches
    fitted_on: Split | None = None  # mining only: the split thresholds were chosen on
    seed: int
    max_examples: int | None = None  # rows asked for per language; None: all
    seconds: Seconds
    environment: Environment

    @model_validator(mode="after")
    def _has_its_main_metric(self) -> TaskResult:
        if self.main_metric not in self.metrics:
            raise PydanticCustomError("no_main_metric", "metrics have no main metric")
        return self

    def zero_shot(self) -> float | None:
        """Unweighted mean of the main metric over the languages other than the source's."""
        scores = [v for k, v in self.metrics[self.main_metric].items() if k != self.source_language]
        return sum(scores) / len(scores) if scores else None

    def transfer_gap(self) -> float | None:
        """Source-language score minus the zero-shot mean; None where there is no source score."""
        source, mean = self.metrics[self.main_metric].get(self.source_language), self.zero_shot()
        return None if source is None or mean is None else source - mean
