"""How similar a model's languages are to English, per layer."""

from __future__ import annotations

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from evalsuite.results.numbers import Cosine, Count, Percent
from evalsuite.results.record import Environment, ModelInfo, Record
from evalsuite.task import SourceKind


class LanguageAlignment(Record):
    """One language compared with English: a value for the embeddings and for each layer.

    Percent, except cosines (-1 to 1) and `cka` (1: the same up to rotation and scale).
    """

    retrieval: tuple[Percent, ...]  # sentences whose nearest English one is their translation
    pair_cosine: tuple[Cosine, ...]  # of translations
    other_cosine: tuple[Cosine, ...]  # of all other pairs
    rank_consistency: tuple[Percent, ...]  # RankC of a sentence's and its translation's neighbours
    cka: tuple[float, ...]  # similarity to the layer of the base at the same depth


class AlignmentResult(Record):
    """How similar one model's languages are to English, per layer."""

    model: ModelInfo
    text: str  # "tatoeba test, 34 languages, 17,000 pairs"
    source: SourceKind
    data_digest: str
    pooling: str
    max_examples: int | None
    examples: dict[str, Count]  # language -> pairs
    base: str  # label of the model compared with
    base_layers: tuple[int, ...]  # which of its layers each layer is compared with
    languages: dict[str, LanguageAlignment] = Field(min_length=1)
    environment: Environment

    @model_validator(mode="after")
    def _has_all_layers_and_counts(self) -> AlignmentResult:
        layers = {len(values) for language in self.languages.values() for _, values in language}
        if layers != {len(self.base_layers)} or min(layers) < 2 or self.base_layers[0] != 0:
            raise PydanticCustomError(
                "layers", "languages and base_layers are of different numbers of layers"
            )
        if absent := set(self.languages) - set(self.examples):
            raise PydanticCustomError("examples", f"examples has no {', '.join(sorted(absent))}")
        return self

    def mean(self, measure: str) -> tuple[float, ...]:
        """Mean over languages of one field of `LanguageAlignment`, per layer."""
        rows = [getattr(language, measure) for language in self.languages.values()]
        return tuple(sum(values) / len(rows) for values in zip(*rows, strict=True))

    def best(self) -> tuple[int, float]:
        """The layer of the best mean retrieval, the lowest of equal ones, and that mean.

        The embeddings do not count as a layer: training may not change them at all.
        """
        means = self.mean("retrieval")
        layer = max(range(1, len(means)), key=lambda k: (means[k], -k))
        return layer, means[layer]
