"""Keys of sentence vectors: of `train`, which makes them by contrast, and of `distill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from recipes.errors import StageInputError
from recipes.stages._shared.contract import StageConfig
from recipes.stages._shared.unused_keys import written

if TYPE_CHECKING:
    from transfer.objectives.sentence_vectors import SentenceVectors
    from transfer.text.sentence_pairs import Belonging


class VectorKeys(StageConfig):
    """What is put before texts, and which parts of a vector work alone."""

    prefix: str | None = Field(
        default=None,
        description="Put before each text whose vector is trained, such as 'query: '; default: "
        "as the model declares.",
    )
    matryoshka: tuple[int, ...] = Field(
        default=(),
        description="Numbers of dimensions, such as 128 and 64: the first numbers of each vector "
        "are trained to work alone, this many.",
    )


class DistilledVectorKeys(VectorKeys):
    """Sentence vectors that are learnt from a teacher's."""

    sentences: float = Field(
        default=0.0,
        ge=0,
        description="Weight of the loss on embeddings of sentences of multilingual text, for any "
        "width; 0: off.",
    )
    sentence_targets: Literal["english", "each"] = Field(
        default="english",
        description="What the teacher embeds of parallel text: the English sentence, for itself "
        "and its translation, or each for itself; lines of text are always for themselves.",
    )
    contrast: float = Field(
        default=0.0,
        ge=0,
        description="With sentences: weight of the loss on finding the teacher's vector and the "
        "translation of each sentence among the batch's; best in large batches; 0: off.",
    )


class ContrastKeys(VectorKeys):
    """Sentence vectors that are trained by contrast with the other rows of a batch."""

    contrastive: Literal["words", "sentences", "rows"] | None = Field(
        default=None,
        description="Train vectors to be near for translated words or sentences of parallel text, "
        "or for the two texts of task rows; default: rows for retrieval, else off.",
    )
    pooling: Literal["mean", "cls"] | None = Field(
        default=None,
        description="How token vectors become one vector: their mean, or the first token; "
        "default: as the model declares, else the mean; of words the mean.",
    )
    passage_prefix: str | None = Field(
        default=None,
        description="Put before the passages of retrieval; default: prefix, or as the model "
        "declares.",
    )
    contrastive_temperature: float = Field(
        default=0.05,
        gt=0,
        description="Divides the cosines among which a partner is to be found; smaller: only the "
        "hardest of the batch count.",
    )
    min_score: float | None = Field(
        default=None,
        description="With contrastive: rows, two sentences with at least this score belong "
        "together, others are left out.",
    )
    positive_label: str | None = Field(
        default=None,
        description="With contrastive: rows, two sentences with this label belong together, "
        "others are left out.",
    )


_OF_VECTORS = ("prefix", "passage_prefix", "matryoshka")
_OF_WORDS_TOO = ("pooling", "contrastive_temperature")


def belonging(config: ContrastKeys) -> Belonging | None:
    """Which rows belong together; None where rows with scores or labels train a head."""
    from transfer.text.sentence_pairs import Belonging

    if config.contrastive != "rows":
        return None
    return Belonging(config.min_score, config.positive_label)


def sentence_vectors(config: ContrastKeys) -> SentenceVectors:
    """How sentences become vectors."""
    from transfer.objectives.sentence_vectors import SentenceVectors

    return SentenceVectors(
        config.pooling,
        config.prefix,
        config.passage_prefix,
        config.contrastive_temperature,
        config.matryoshka,
    )


def unused_vector_keys(config: ContrastKeys, *, trained: bool, passages: bool) -> list[str]:
    """Keys of vectors that are written where they change nothing.

    Args:
        trained: whether vectors of sentences are trained.
        passages: whether a task has queries and passages.
    """
    problems = []
    given = [key for key in written(config, _OF_VECTORS) if getattr(config, key)]
    if config.contrastive != "words":
        given += written(config, _OF_WORDS_TOO)
    if not trained and given:
        problems.append(
            f"{given[0]}: no vectors of sentences are trained here; leave it out, or set "
            "contrastive: sentences, or contrastive: rows with tasks of two sentences"
        )
    if config.contrastive == "sentences" and config.passage_prefix is not None:
        problems.append(
            "passage_prefix: parallel text has no passages: prefix is put before both sentences; "
            "leave it out"
        )
    elif trained and not passages and config.passage_prefix is not None:
        problems.append(
            "passage_prefix: no task here has passages: prefix is put before both texts of a row; "
            "leave it out"
        )
    if config.contrastive != "rows" and (config.min_score is not None or config.positive_label):
        key = "positive_label" if config.min_score is None else "min_score"
        problems.append(f"{key}: says which rows belong together; set contrastive: rows")
    return problems


def check_dimensions(config: VectorKeys) -> None:
    """Refuse numbers of dimensions that are no sizes, or there twice.

    Raises:
        StageInputError: one is.
    """
    sizes = config.matryoshka
    if any(size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
        raise StageInputError("matryoshka: give whole numbers from 1, each of them once")
