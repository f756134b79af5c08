"""Give an English encoder of the BERT family new languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from evalsuite.errors import MissingExtraError, UnknownNameError
from recipes.errors import StageInputError
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
from recipes.stages._shared.plain_text_keys import (
    BUFFER,
    ShuffleBuffer,
    TextStream,
    opened_stream,
    refuse_unpinned,
    streamed_files,
)
from recipes.stages._shared.training_keys import TrainingConfig, need, settings
from transfer.extend import rules
from transfer.registry import TEACHERS

if TYPE_CHECKING:
    from transfer.extend.extend import Options

VERSION = 7


class Config(TrainingConfig):
    """`sentences`, `lines`, `words`, `tlm` and `mlm` are shares of batches."""

    renamed: ClassVar[Mapping[str, str]] = {
        "alpha": "sampling_exponent",
        "teacher": "second_teacher",
    }

    model: ModelRef = Field(
        description="English encoder of the BERT family to extend; it is also the teacher."
    )
    steps: int = Field(ge=1, description="Number of optimizer steps.")
    learning_rate: float = Field(default=5e-4, gt=0, description="Peak learning rate.")
    batch_size: int = Field(default=64, ge=2, description="Sequences per batch.")
    vocabulary: int = Field(
        default=32_000, ge=64, description="Size of the new multilingual vocabulary, in pieces."
    )
    vocabulary_lines: int = Field(
        default=300_000, ge=100, description="Lines of text from which the vocabulary is learnt."
    )
    case: Literal["keep", "lower", "mark"] = Field(
        default="mark",
        description="Capital letters in the vocabulary: kept, lowercased, or written as a marker "
        "piece before the word.",
    )
    init: Literal["random", "lexical"] = Field(
        default="lexical",
        description="Initial embeddings of new pieces: random, or from the English pieces they "
        "are translated by.",
    )
    sentences: float = Field(
        default=0.7,
        ge=0,
        description="Share of batches that are sentence distillation from the English encoder.",
    )
    second_teacher: str | None = Field(
        default=None,
        description="Second, multilingual teacher from a package, such as use; default: none.",
    )
    lines: float = Field(
        default=0.2,
        ge=0,
        description="Share of batches that are the second teacher's embeddings of lines; unused "
        "without second_teacher.",
    )
    words: float = Field(
        default=0.1,
        ge=0,
        description="Share of batches that are the second teacher's embeddings of single words, of "
        "languages with spaces; unused without second_teacher.",
    )
    tlm: float = Field(
        default=0.2, ge=0, description="Share of batches that are translation language modelling."
    )
    mlm: float = Field(
        default=0.1, ge=0, description="Share of batches that are masked language modelling."
    )
    contrast: float = Field(
        default=1.0,
        ge=0,
        description="Weight of the in-batch contrastive loss of sentence distillation; 0: off.",
    )
    english: float = Field(
        default=0.1, ge=0, le=1, description="Share of the distilled sentences that are English."
    )
    mask_rate: float = Field(
        default=0.15, gt=0, lt=1, description="Share of tokens that are masked and predicted."
    )
    freeze_body: bool = Field(default=False, description="Train the word embeddings alone.")
    max_length: int = Field(
        default=96,
        ge=8,
        description="Longest sequence in tokens; longer sentences are skipped, and longer "
        "lines of stream are cut.",
    )
    max_pairs: int | None = Field(
        default=None, ge=1, description="Sentence pairs per language, at most; default: all pairs."
    )
    max_lines: int | None = Field(
        default=None,
        ge=0,
        description="Monolingual lines of the source per language, at most; default: all lines.",
    )
    prose: bool = Field(default=True, description="Skip lines that are not running text.")
    held_out: int = Field(
        default=50, ge=0, description="Sentence pairs per language held out for the learning curve."
    )
    sampling_exponent: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Exponent of language sampling: 1 is proportional to the text, 0 gives all "
        "languages equal shares.",
    )
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None,
        description="Language codes of the training text; default: every language in the "
        "parallel corpus.",
    )
    stream: TextStream = None
    shuffle_buffer: ShuffleBuffer = BUFFER
    store: Literal["fp32", "fp16"] = Field(
        default="fp16", description="Precision of the weights on disk."
    )

    @model_validator(mode="after")
    def _something(self) -> Config:
        taught = self.lines + self.words if self.second_teacher is not None else 0
        if self.sentences + taught + self.tlm + self.mlm == 0:
            raise ValueError("no objective has a share; nothing would be learnt")
        return self

    @model_validator(mode="after")
    def _one_source_of_lines(self) -> Config:
        given = self.model_fields_set
        if self.stream is None:
            if "shuffle_buffer" in given:
                raise ValueError("shuffle_buffer: only with stream")
            return self
        if "max_lines" in given:
            raise ValueError(
                "stream: is read in place of the source's single lines; remove max_lines"
            )
        written = given & {"languages", "max_pairs", "prose", "held_out"}
        if written and not self.reads_pairs:
            raise ValueError(
                f"stream: nothing reads sentence pairs here; remove {', '.join(sorted(written))}, "
                "which goes with parallel text"
            )
        return self

    @property
    def reads_pairs(self) -> bool:
        """Whether the parallel text is read."""
        return rules.needs_pairs(
            self.stream,
            sentences=self.sentences,
            english=self.english,
            tlm=self.tlm,
            lexical=self.init == "lexical",
        )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A headless checkpoint."""
    (english,) = inputs["model"]
    need(english, "model", "checkpoint")
    if english.family not in (None, "bert"):
        raise StageInputError(
            f"model: is of the family {english.family}; extend needs an English encoder of the "
            "family bert"
        )
    if config.second_teacher is not None:
        try:
            TEACHERS.get(config.second_teacher).require()
        except (UnknownNameError, MissingExtraError) as error:
            raise StageInputError(f"second_teacher: {error}") from None
    if config.stream is not None:
        _check_stream(config, config.stream)
    return Artifact("checkpoint", family="xlm-roberta", tokenizer=OWN_TOKENIZER)


def _check_stream(config: Config, places: Collection[str]) -> None:
    """Raise StageInputError where some of a stream is read by nothing, or cannot be taught."""
    refuse_unpinned(config)
    teacher = config.second_teacher
    known = TEACHERS.get(teacher).languages if teacher is not None else ()
    found = rules.readers(
        places,
        known,
        mlm=config.mlm,
        lines=config.lines,
        english=config.sentences * config.english,
    )
    unread = set(places) - {code for codes in found.values() for code in codes}
    if unread:
        raise StageInputError(
            f"stream: no objective reads {', '.join(sorted(unread))}; set mlm above 0, or remove it"
        )
    taught = teacher is not None and config.lines + config.words > 0
    if taught and not config.reads_pairs and not any(map(rules.is_english, places)):
        raise StageInputError(
            "second_teacher: its head starts from English lines; add en to stream, or set "
            "lines: 0 and words: 0"
        )


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Parallel text, the files of a stream, and what is kept out of both."""
    pairs = (corpus_in(config.languages),) if config.reads_pairs else ()
    return (*pairs, *streamed_files(config), HELD_OUT)


def cost(config: Config) -> str:
    """Work, roughly."""
    return f"{config.steps} steps x {config.batch_size} sequences"


def options(config: Config, ctx: StageContext) -> Options:
    """The same as the library takes it."""
    from transfer.extend.extend import Options

    return Options(
        vocabulary=config.vocabulary,
        case=config.case,
        vocabulary_lines=config.vocabulary_lines,
        lexical=config.init == "lexical",
        sentences=config.sentences,
        teacher=config.second_teacher,
        lines=config.lines,
        words=config.words,
        tlm=config.tlm,
        mlm=config.mlm,
        contrast=config.contrast,
        english=config.english,
        mask_rate=config.mask_rate,
        freeze_body=config.freeze_body,
        steps=config.steps,
        batch_size=config.batch_size,
        max_length=config.max_length,
        max_pairs=config.max_pairs,
        max_lines=config.max_lines,
        prose=config.prose,
        held_out=config.held_out,
        alpha=config.sampling_exponent,
        languages=config.languages,
        stream=opened_stream(config, ctx),
        paired=config.reads_pairs,
        store=config.store,
        settings=settings(config, ctx),
    )


def run(config: Config, ctx: StageContext) -> Summary:
    """Extend."""
    from transfer.extend.extend import extend

    _, facts = extend(
        ctx.input("model").path,
        ctx.data,
        options(config, ctx),
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    return facts
