"""The scores of one model on one task, and how it compares with another model."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, model_validator
from pydantic_core import PydanticCustomError

from evalsuite import languages
from evalsuite.results.numbers import Count, Percent, Points, Seconds, Share, check_score
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

    `metrics[name][language]` in percent, or in the metric's unit; `metrics[main_metric]` is the one
    to report.
    """

    model: ModelInfo
    task: str
    title: str
    main_metric: str
    signature: str = ""  # of the main metric (`evalsuite.scoring.signature`)
    metrics: dict[str, dict[str, float]]
    intervals: dict[str, tuple[float, float]] = Field(
        {}
    )  # language -> 95% interval of the main metric
    zero_shot_interval: tuple[float, float] | None = None  # 95% interval of `zero_shot()`
    comparison: ModelComparison | None = Field(  # with the first model scored on the same rows
        None,
        validation_alias=AliasChoices("comparison", "beside"),  # "beside" until version 6
    )
    chance: dict[str, float]  # language -> score of guessing, main metric
    examples: dict[str, Count]  # language -> rows
    left_out: dict[str, dict[str, Count]] = Field({})  # language -> reason -> rows not used
    absent_languages: tuple[str, ...]  # the benchmark lists them, the source has no rows
    source: SourceKind
    split: Split
    source_language: str
    seen_languages: tuple[str, ...] = ()  # with training rows; empty: the source language alone
    data_digest: str
    layer: int | None = None  # where embeddings are scored: 0 is the embeddings' own
    pooling: str | None = None
    prefix: str | None = None  # put before each text that is embedded
    passage_prefix: str | None = None  # before what is searched, where it is another one
    dimensions: int | None = None  # of each vector the first numbers only
    scoring: Literal["cosine", "margin"] | None = None  # how neighbours are compared
    thresholds: dict[str, float] = Field({})  # mining only: language -> lowest margin of a pair
    unreached: dict[str, Count] = Field({})  # spans only: language -> answers no token reaches
    fitted_on: Split | None = None  # mining only: the split thresholds were chosen on
    unlabelled: dict[str, tuple[str, ...]] = Field({})  # language -> labels its rows do not tell of
    answered: dict[str, dict[str, Count]] = Field({})  # cascades only: language -> member -> rows
    seed: int
    max_examples: int | None = None  # rows asked for per language; None: all
    seconds: Seconds
    environment: Environment

    @model_validator(mode="after")
    def _has_its_main_metric(self) -> TaskResult:
        if self.main_metric not in self.metrics:
            raise PydanticCustomError("no_main_metric", "metrics have no main metric")
        return self

    @model_validator(mode="after")
    def _in_their_ranges(self) -> TaskResult:
        for name, by_language in self.metrics.items():
            for language, value in by_language.items():
                check_score(name, value, f"metrics.{name}.{language}")
        for language, interval in self.intervals.items():
            for end, value in enumerate(interval):
                check_score(self.main_metric, value, f"intervals.{language}.{end}")
        for end, value in enumerate(self.zero_shot_interval or ()):
            check_score(self.main_metric, value, f"zero_shot_interval.{end}")
        for language, value in self.chance.items():
            check_score(self.main_metric, value, f"chance.{language}")
        return self

    def zero_shot(self) -> float | None:
        """Unweighted mean of the main metric over the languages without training rows."""
        scores = self.metrics[self.main_metric]
        found = [value for code, value in scores.items() if self.is_zero_shot(code)]
        return sum(found) / len(found) if found else None

    def is_zero_shot(self, language: str) -> bool:
        """Whether the task has no training rows in it, in its region or another."""
        return languages.is_zero_shot(language, (self.source_language, *self.seen_languages))

    def transfer_gap(self) -> float | None:
        """Source-language score minus the zero-shot mean; None where there is no source score.

        Where the source language has rows of its regions only, its score is their mean.
        """
        scores, mean = self.metrics[self.main_metric], self.zero_shot()
        found = [scores[code] for code in languages.same_language(self.source_language, scores)]
        return None if mean is None or not found else sum(found) / len(found) - mean
