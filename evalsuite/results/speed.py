"""What a model costs to run: raw samples of latency, throughput, memory and energy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evalsuite.results.numbers import Amount, Count, Measured, Seconds, Several
from evalsuite.results.record import Environment, ModelInfo, Record
from evalsuite.task import SourceKind

Samples = Annotated[tuple[Measured, ...], Field(min_length=1)]


class Throughput(Record):
    """One pass over the text; batches run at the same time where `evaluate` runs them so."""

    sentences: Several  # sequences: a row may be several windows or choices
    tokens: Count  # without padding
    seconds: Measured
    joules: Amount | None = None  # used by the whole processor; None where no counter can be read


class GridCell(Record):
    """Batches of one shape, every token real."""

    batch: Several
    length: Several
    operations: Count  # of the matrix products of one batch
    warmup_seconds: Seconds
    seconds: Samples  # one per repeat


class LanguageSpeed(Record):
    """What the text of one language costs."""

    rows: Count | None = None  # of the text; None in results of versions that counted sequences
    sentences: Several  # sequences: a row may be several windows or choices
    tokens: Count  # special tokens included
    latency_seconds: tuple[Measured, ...]  # batch 1; a part of `SpeedResult.latency_seconds`
    seconds: Samples  # one per pass over length-sorted batches, one at a time


class PeakSample(Record):
    """One product of two square matrices."""

    program: str  # "torch.mm"
    size: Several
    seconds: Measured

    def operations_a_second(self) -> float:
        """Operations per second; a product of size n is 2 n^3 operations."""
        return 2.0 * self.size**3 / self.seconds


class Peak(Record):
    """The highest measured speed of this machine when it multiplies matrices."""

    precision: str  # fp32 | bf16 | int8
    threads: Count
    samples: tuple[PeakSample, ...] = Field(min_length=1)

    def best(self) -> PeakSample:
        """The fastest sample."""
        return max(self.samples, key=PeakSample.operations_a_second)

    def operations_a_second(self) -> float:
        """Operations per second of the best sample."""
        return self.best().operations_a_second()


class TokenizerCost(Record):
    """What the tokenizer of a model takes to open, in a process without the model."""

    load_seconds: Samples
    memory: Count  # bytes


class SpeedResult(Record):
    """What one model costs to run on real text: raw samples, with those of the warm-up separate."""

    model: ModelInfo
    text: str  # "xnli dev, 12 languages, 512 sentences, rows 1f3a9c07"; equal: the same text
    rows: Count | None = None  # of the text; None in results of versions that counted sequences
    source: SourceKind
    data_digest: str
    token_lengths: tuple[Count, ...]  # of the sentences measured, special tokens included
    load_seconds: Samples
    warmup_seconds: tuple[Seconds, ...]
    latency_seconds: Samples  # batch 1, one per sentence
    throughput: tuple[Throughput, ...] = Field(min_length=1)  # length-sorted batches
    operations: Count  # of the matrix products of one such pass, without padding
    grid: tuple[GridCell, ...]
    languages: dict[str, LanguageSpeed]
    peak: Peak | None = None  # in the precision the model computes in; None where not measured
    peak_memory: Count  # bytes of the measuring process, its interpreter included
    tokenizer: TokenizerCost | None = None  # None in results of versions that did not measure it
    baseline_memory: Count  # the same process before the model was opened
    memory_limit: Count | None = None  # bytes above the baseline that the model had to fit in
    environment: Environment

    def memory(self) -> int:
        """Bytes above the baseline at the peak: the model's, without the runtime's libraries."""
        return self.peak_memory - self.baseline_memory

    def does_not_fit(self) -> str:
        """`does not fit in 64 MB`; empty where it fits, or where there is no limit.

        >>> speed.model_copy(update={"memory_limit": 64_000_000}).does_not_fit()
        'does not fit in 64 MB'
        """
        if self.memory_limit is None or self.memory() <= self.memory_limit:
            return ""
        return f"does not fit in {self.memory_limit / 1e6:g} MB"
