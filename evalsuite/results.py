"""Result files: scores, speed, stage records and the run they belong to.

A number travels with its signature: what was measured, on what, with what. All scores are in
percent (0 to 100), all times in seconds, all sizes in bytes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from evalsuite.task import SourceKind, Split

BudgetKind = Literal["MB", "ms", "points"]


class Record(BaseModel):
    """Base of all result records: frozen, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        defer_build=True,  # `lingopress plan` imports this file and builds nothing
    )


class Environment(Record):
    """The machine and libraries a figure was measured with."""

    cpu: str
    instruction_set: tuple[str, ...]  # of avx2 avx512f avx512_vnni avx512_bf16 amx_int8 ...
    cores: int
    threads: int
    device: str  # "cpu" or the GPU's name
    system: str
    versions: dict[str, str]  # package -> version


class ModelInfo(Record):
    """What a model is, apart from what it scores."""

    label: str  # "teacher[task=xnli]"
    digest: str  # of the weights
    architecture: str  # "xlm-roberta 4x192"
    runtime: str  # torch | onnxruntime | openvino
    precision: str  # fp32 | bf16 | int8 ...
    parameters: int
    embedding_parameters: int
    bytes: int  # weights and graph on disk, tokenizer apart
    tokenizer_bytes: int


class Beside(Record):
    """A model against another one on the same rows.

    Differences are points of the main metric above the other model, their intervals those of the
    paired bootstrap, `p` its two-sided p-value (of no difference between the zero-shot means).
    """

    label: str  # of the other model
    agreement: dict[str, float]  # language -> percent of predictions that are equal
    intervals: dict[str, tuple[float, float]]  # language -> 95% interval of the difference
    zero_shot_interval: tuple[float, float] | None
    p: float | None


class TaskResult(Record):
    """Scores of one model on one task.

    `metrics[name][language]` in percent; `metrics[main_metric]` is the one to report.
    """

    model: ModelInfo
    task: str
    title: str
    main_metric: str
    metrics: dict[str, dict[str, float]]
    intervals: dict[str, tuple[float, float]] = {}  # language -> 95% interval of the main metric
    zero_shot_interval: tuple[float, float] | None = None  # of `zero_shot()`
    beside: Beside | None = None  # the first model scored on the same rows
    chance: dict[str, float]  # language -> what guessing scores on the main metric
    examples: dict[str, int]  # language -> rows
    absent_languages: tuple[str, ...]  # the benchmark lists them, the source has no rows
    source: SourceKind
    split: Split
    source_language: str
    data_digest: str
    layer: int | None = None  # embeddings only: absolute, 0 is the embeddings
    pooling: str | None = None
    scoring: Literal["cosine", "margin"] | None = None  # by what neighbours are compared
    thresholds: dict[str, float] = {}  # mining only: language -> margin pairs are taken from
    fitted_on: Split | None = None  # mining only: the split that thresholds are best on
    seed: int
    max_examples: int | None = None  # rows asked for, a language; None: all there are
    seconds: float
    environment: Environment

    def zero_shot(self) -> float | None:
        """Unweighted mean of the main metric over the languages other than the source's."""
        scores = [v for k, v in self.metrics[self.main_metric].items() if k != self.source_language]
        return sum(scores) / len(scores) if scores else None

    def transfer_gap(self) -> float | None:
        """Source-language score minus the zero-shot mean; None where there is no source score."""
        source, mean = self.metrics[self.main_metric].get(self.source_language), self.zero_shot()
        return None if source is None or mean is None else source - mean


class Throughput(Record):
    """One pass over the text, batches beside each other where `evaluate` runs them so."""

    sentences: int
    tokens: int  # real ones, padding apart
    seconds: float
    joules: float | None = None  # of the whole processor; None where no counter can be read


class GridCell(Record):
    """Batches of one shape, every token real."""

    batch: int
    length: int
    operations: int  # of the matrix products of one batch
    warmup_seconds: float
    seconds: tuple[float, ...]  # one a repeat


class LanguageSpeed(Record):
    """What one language's own text costs."""

    sentences: int
    tokens: int  # specials included
    latency_seconds: tuple[float, ...]  # batch 1; a part of `SpeedResult.latency_seconds`
    seconds: tuple[float, ...]  # one a pass of length-sorted batches of it alone, one at a time


class PeakSample(Record):
    """One product of two square matrices."""

    program: str  # "torch.mm"
    size: int
    seconds: float

    def operations_a_second(self) -> float:
        """A product of size n is 2 n^3 operations."""
        return 2.0 * self.size**3 / self.seconds


class Peak(Record):
    """The fastest this machine was seen to multiply matrices."""

    precision: str  # fp32 | bf16 | int8
    threads: int
    samples: tuple[PeakSample, ...]

    def best(self) -> PeakSample:
        """The fastest sample."""
        return max(self.samples, key=PeakSample.operations_a_second)

    def operations_a_second(self) -> float:
        """The best sample's."""
        return self.best().operations_a_second()


class SpeedResult(Record):
    """What one model costs to run on real text; raw samples, warm-up apart."""

    model: ModelInfo
    text: str  # "xnli dev, 12 languages, 512 sentences"
    source: SourceKind
    data_digest: str
    token_lengths: tuple[int, ...]  # of the sentences measured, specials included
    load_seconds: tuple[float, ...]
    warmup_seconds: tuple[float, ...]
    latency_seconds: tuple[float, ...]  # batch 1, one a sentence
    throughput: tuple[Throughput, ...]  # length-sorted batches
    operations: int  # of the matrix products of one such pass, padding left out
    grid: tuple[GridCell, ...]
    languages: dict[str, LanguageSpeed]
    peak: Peak | None = None  # of what the model multiplies in; None where it is not measured
    peak_memory: int  # of the measuring process, its interpreter included
    baseline_memory: int  # the same process before the model was opened
    environment: Environment


class Fertility(Record):
    """How a vocabulary splits the words of one language; counts."""

    words: int
    subwords: int
    split: int  # words of two or more subwords
    unknown: int  # words with an unknown piece

    @property
    def subwords_a_word(self) -> float:
        """0 where there are no words."""
        return self.subwords / self.words if self.words else 0.0


class FertilityResult(Record):
    """How the vocabulary of one model splits words."""

    label: str  # of the model
    tokenizer_digest: str
    text: str  # "udpos test, first 500 sentences"
    source: SourceKind
    data_digest: str
    languages: dict[str, Fertility]


class LanguageAlignment(Record):
    """One language against English; a figure for the embeddings and for each layer.

    Percent, but for cosines (-1 to 1) and `cka` (1: the same up to rotation and scale).
    """

    retrieval: tuple[float, ...]  # sentences whose nearest English one is their translation
    pair_cosine: tuple[float, ...]  # of translations
    other_cosine: tuple[float, ...]  # of all other pairs
    rank_consistency: tuple[float, ...]  # RankC of a sentence's and its translation's neighbours
    cka: tuple[float, ...]  # to the layer of the base that lies as deep


class AlignmentResult(Record):
    """How well one model's languages lie on English, layer by layer."""

    model: ModelInfo
    text: str  # "tatoeba test, 34 languages, 17,000 pairs"
    source: SourceKind
    data_digest: str
    pooling: str
    max_examples: int | None
    examples: dict[str, int]  # language -> pairs
    base: str  # label of the model compared with
    base_layers: tuple[int, ...]  # which of its layers each layer is compared with
    languages: dict[str, LanguageAlignment]
    environment: Environment

    def mean(self, measure: str) -> tuple[float, ...]:
        """Of one of `LanguageAlignment`'s figures over languages, a layer."""
        rows = [getattr(language, measure) for language in self.languages.values()]
        return tuple(sum(values) / len(rows) for values in zip(*rows, strict=True))

    def best(self) -> tuple[int, float]:
        """The layer of the best mean retrieval, the lowest of equal ones, and that mean.

        The embeddings are none: where training leaves them alone they keep everything.
        """
        means = self.mean("retrieval")
        layer = max(range(1, len(means)), key=lambda k: (means[k], -k))
        return layer, means[layer]


class StageRecord(Record):
    """What a stage did and cost."""

    name: str  # "teacher[task=xnli]"
    kind: str
    key: str
    inputs: tuple[str, ...]  # names of stages, or model sources
    config: dict[str, Any]
    summary: dict[str, float | int | str]  # what it did: {"steps": 400, "final loss": 1.23}
    seconds: float  # work, over all its resumptions
    output_bytes: int
    finished: str  # ISO 8601, UTC


class ComparedRun(Record):
    """A run that a comparison was made from."""

    name: str  # what its labels begin with
    recipe: str
    source: SourceKind
    seed: int
    finished: str  # ISO 8601, UTC; of its last stage, empty where it has none
    search: str = ""  # what its search found, in a sentence; empty without one


class Trial(Record):
    """One assignment of a search's knobs, and what came of it.

    Figures are of the candidate: the average zero-shot score and its distance from the reference
    in points, bytes of weights and graph, median latency. None where they were not measured.
    """

    assignment: dict[str, str]  # knob -> name of its value
    refused: str = ""  # why it could not be made; empty where it was
    systems: tuple[str, ...] = ()  # the candidate's rows in the report
    average: float | None = None
    difference: float | None = None
    bytes: float | None = None
    p50_ms: float | None = None
    sentences_per_second: float | None = None
    within: bool = False  # the budget
    on_front: bool = False  # no other trial is as good in both and better in one


class Search(Record):
    """What a search was asked for, and what it found."""

    candidate: str  # the stage that is judged
    reference: str  # what points are counted from; empty where nothing else was scored
    budget: BudgetKind
    limit: float  # in megabytes (10^6 bytes), milliseconds or points
    knobs: dict[str, tuple[str, ...]]  # names of their values
    most: int  # trials allowed
    trials: tuple[Trial, ...]  # in the order in which they were made
    recommended: int | None = None  # of `trials`; None where none is within the budget


class RunRecord(Record):
    """All a report is made from."""

    recipe: str
    description: str
    source: SourceKind
    seed: int
    stages: tuple[StageRecord, ...]
    scores: tuple[TaskResult, ...]
    speeds: tuple[SpeedResult, ...]
    fertility: tuple[FertilityResult, ...] = ()
    alignment: tuple[AlignmentResult, ...] = ()
    runs: tuple[ComparedRun, ...] = ()  # of a comparison; `source` and `seed` are the first's
    search: Search | None = None  # whose trials the figures are of
