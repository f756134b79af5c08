"""Reduce a vocabulary to what some languages need, and check how many labels stay equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from evalsuite.home_path import home_path
from evalsuite.languages import is_among
from recipes.errors import NotKnownAheadError
from recipes.stages._shared.contract import (
    HELD_OUT,
    OWN_TOKENIZER,
    Artifact,
    DataNeed,
    LanguageCode,
    ModelRef,
    StageContext,
    Summary,
    corpus_in,
)
from recipes.stages._shared.families import refuse_unknown
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.score_gate import (
    LeastAgreement,
    ProbeSentences,
    ProbeTask,
    ScoreGateConfig,
    gate_rows,
    hold_labels,
    hold_score,
    refuse_unscored,
)
from recipes.stages._shared.training_keys import need, probed

if TYPE_CHECKING:
    from evalsuite.data.heldout import HeldOut
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 7
_COPIES = 2.0  # of the weights
PASS = True
_TOKENIZERS = 4  # times that one is opened
_SPLITS = 2  # times that text of other languages is split: before and after
_OTHERS = 2000  # lines of each language that is not kept, to say what it loses
_SHOWN = 3  # languages that are named


class Config(ScoreGateConfig):
    """Which languages or which text, how much of what occurs in it, and the gate."""

    model: ModelRef = Field(description="Checkpoint whose vocabulary is trimmed.")
    languages: tuple[LanguageCode, ...] = Field(
        default=(),
        description="Language codes to keep; their pieces are counted in the parallel corpus.",
    )
    text: tuple[str, ...] = Field(
        default=(), description="Text files whose pieces are kept, one segment per line."
    )
    coverage: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of each language's pieces, by frequency, that the kept vocabulary "
        "must cover.",
    )
    min_count: int = Field(
        default=1, ge=1, description="Pieces with fewer occurrences are removed."
    )
    max_pieces: int | None = Field(
        default=None,
        ge=1,
        description="Pieces kept at most; with fewer, the coverage of every language is lowered "
        "alike; default: any number.",
    )
    prior: float = Field(
        default=0.0,
        ge=0,
        le=1,
        exclude_if=lambda weight: weight == 0,  # so that keys without it are as they were
        description="Weight of the tokenizer's own scores of pieces next to counts; 0.5 keeps "
        "everyday words that are rare in text of one domain (Unigram tokenizers).",
    )
    max_lines: int | None = Field(
        default=100_000,
        ge=1,
        description="Lines per language in which pieces are counted; null: all lines.",
    )
    probe: ProbeSentences = 64
    probe_task: ProbeTask = None
    min_agreement: LeastAgreement = 99.0

    @model_validator(mode="after")
    def _says_what_to_keep(self) -> Config:
        if not self.languages and not self.text:
            raise ValueError("give languages to keep, or text files whose pieces are kept")
        if self.prior > 0 and self.max_pieces is None and self.coverage == 1:
            raise ValueError("prior decides which pieces are cut; set max_pieces or coverage too")
        return self


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the model's head."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    refuse_unknown(model, "model")
    refuse_unscored(config, config.probe_task, model)
    return replace(model, kind="checkpoint", adapter=None, tokenizer=OWN_TOKENIZER)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text that is counted, and the gate's."""
    needs = tuple(DataNeed(path, "file") for path in config.text)
    if config.languages:
        needs += (corpus_in(config.languages), HELD_OUT)
    return needs + gate_rows(config, gives)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The model, and the rows that are kept of it."""
    from compress.memory import copying

    return copying(models["model"][0].shape(), _COPIES)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The text is counted, some of the other languages is split before and after."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_work import gate, opening, saving

    if config.text:
        raise NotKnownAheadError("text files are counted")
    (model,) = models["model"]
    trimmed = planned_from_text(config, models, text)
    counted = text.parallel(model, config.languages, config.max_lines, single=True)
    others = text.parallel(model, None, _OTHERS)
    done = opening(model, text, _TOKENIZERS, models=2)
    done += Work(text=text.held_out() + counted.seconds)
    if "en" in config.languages:  # read once to count its lines, and again
        english = 2 * counted.reading + counted.tokenizing / len(counted.counts)
        done += Work(text=english)
    done += Work(text=others.reading + _SPLITS * others.tokenizing)
    task = probed(config.probe_task, gives)
    return done + gate(config, [model, trimmed], task, text) + saving(trimmed)


def planned_from_text(
    config: Config, models: Mapping[str, tuple[PlannedModel, ...]], text: PlannedText
) -> PlannedModel:
    """The model with as many pieces as some of the text leads to expect."""
    (model,) = models["model"]
    if config.text:
        return model
    pieces = text.pieces(model, config.languages, config.max_lines)
    pieces = min(pieces, config.max_pieces or pieces, model.shape().vocabulary)
    entries = model.config.to_dict() | {"vocab_size": pieces}
    return replace(model, config=type(model.config).from_dict(entries))


def run(config: Config, ctx: StageContext) -> Summary:
    """Trim and compare."""
    from compress.trim.trim import trim
    from evalsuite.agreement import across_vocabularies
    from evalsuite.inference.open_model import open_model
    from evalsuite.inference.probe_text import sample_rows
    from evalsuite.inference.session import Session

    model = ctx.input("model")
    trimmed = trim(
        model.path,
        ctx.out,
        _text(config, ctx),
        coverage=config.coverage,
        min_count=config.min_count,
        most=config.max_pieces,
        prior=config.prior,
        others=_others(config, ctx),
    )
    least = trimmed.least()
    summary: Summary = {
        "pieces before": trimmed.before,
        "pieces": trimmed.after,
        "least covered": f"{least[0]} {least[1].percent:.3f}%",
    }
    if lost := trimmed.lost():
        summary["languages not kept"] = len(lost)
        summary["of these split anew most"] = "; ".join(
            f"{code} {own.split.described()}" for code, own in lost[:_SHOWN]
        )
    task = probed(config.probe_task, model.artifact)
    remedy = "raise coverage, lower min_count"
    if config.probe:
        rows = sample_rows(task, ctx.data, config.probe)
        first, second = (Session(open_model(path)) for path in (model.path, ctx.out))
        kept = {c: own for c, own in rows.items() if is_among(c, config.languages)} or rows
        found = across_vocabularies.compare(first, second, task.format, kept)
        summary |= found.parity.facts()
        code = min(found.alike, key=lambda code: found.alike[code])
        summary["split alike, worst language"] = f"{code} {found.alike[code]:.2f}%"
        if dropped := {code: rows[code] for code in rows if code not in kept}:
            parity = across_vocabularies.compare(first, second, task.format, dropped).parity
            worst = sorted(parity.by_language.items(), key=lambda item: item[1])[:_SHOWN]
            summary["languages not kept, worst"] = ", ".join(
                f"{code} {agreement:.2f}%" for code, agreement in worst
            )
        hold_labels(config, config.min_agreement, found.parity, "trim", remedy)
    kept_codes = config.languages
    return summary | hold_score(config, ctx, model.path, task, "trim", remedy, kept_codes)


def _others(config: Config, ctx: StageContext) -> dict[str, Iterable[str]]:
    """Some lines of each language of the corpus that is not kept."""
    if not config.languages:
        return {}
    from itertools import islice

    from evalsuite.data import parallel

    return {
        code: (pair.foreign for pair in islice(parallel.pairs(ctx.data, code), _OTHERS))
        for code in parallel.languages(ctx.data)
        if not is_among(code, config.languages)
    }


def _text(config: Config, ctx: StageContext) -> dict[str, Iterable[str]]:
    """Language or file name -> lines, which are read as they are counted."""
    from evalsuite.data.parallel import segments

    found: dict[str, Iterable[str]] = {}
    if config.languages:
        from evalsuite.data.heldout import HeldOut

        held = HeldOut.read(ctx.data)
        found |= {code: _corpus_lines(config, ctx, code, held) for code in config.languages}
    return found | {path: segments(home_path(path)) for path in config.text}


def _corpus_lines(config: Config, ctx: StageContext, code: str, held: HeldOut) -> Iterator[str]:
    """The lines of a language in the corpus; of English `max_lines` that are evenly apart.

    English is the other side of every language's pairs.
    """
    from itertools import islice

    from evalsuite.data import parallel
    from transfer.text.parallel_text import lines_of

    others = [other for other in config.languages if other != "en"]
    others = others or list(parallel.languages(ctx.data))
    ctx.progress(config.languages.index(code) / len(config.languages), f"reading {code}")

    def lines() -> Iterator[str]:
        return lines_of(ctx.data, code, others, config.max_lines, held)

    if code != "en" or config.max_lines is None:
        yield from lines()
        return
    step = max(1, sum(1 for _ in lines()) // config.max_lines)
    yield from islice(lines(), 0, step * config.max_lines, step)
