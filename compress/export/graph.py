"""Make the graph of a bundle: trace the checkpoint, quantize the graph, store the embeddings.

>>> made = make_graph(session, exporter, card, out, options)
>>> made.excluded, made.facts()["excluded"]
(('layer 1 attention',), 'layer 1 attention')
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from compress.errors import CalibrationError
from compress.export import bundle, sensitivity
from compress.export.bundle import BundleCard
from compress.export.calibration_text import Calibration, samples
from compress.export.embedding_storage import Form
from compress.export.exporter import GraphExporter, Quantizing, Weights
from compress.export.quantize import quantize
from compress.export.trace import Traced, trace
from evalsuite.agreement import outputs
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import FIRST_TOKEN, model_config
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.task import CHOICE
from transfer.loop.types import Summary

Text = Mapping[str, Sequence[Encoded]]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a graph reaches its precision, and what it computes.

    Attributes:
        calibration: text for scales of activations, and for measuring which part loses labels.
        exclude: parts that stay in fp32 (`compress.export.sensitivity`); `auto` measures which.
        max_drop: percent of labels that may change on calibration text with `auto`.
        weights: of weight-only precisions.
        embeddings: form of the word embeddings; None: as the precision implies.
        whole_last_layer: compute all tokens in the last layer, also where the head reads `<s>`
            alone (`compress.export.first_token`).
        keep_tokens: layer, counted from 1 -> percent of each text's tokens that are left after it
            (`compress.export.fewer_tokens`).
        layout: where the bundle's files lie (`compress.export.layouts`); None: as the exporter
            writes them.
    """

    calibration: Calibration | None = None
    exclude: Literal["auto"] | tuple[str, ...] = ()
    max_drop: float = 0.0
    weights: Weights = field(default_factory=Weights)
    embeddings: Form | None = None
    whole_last_layer: bool = False
    keep_tokens: Mapping[int, int] = field(default_factory=dict)
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class MadeGraph:
    """What was done to a graph, for the bundle's card and the stage's summary.

    Attributes:
        saved: parameters that the embeddings no longer have.
    """

    last_layer: str | None = None
    keep_tokens: Mapping[int, int] | None = None
    lost_alone: Mapping[str, float] | None = None
    excluded: tuple[str, ...] | None = None
    embeddings: str | None = None
    saved: int = 0

    def on(self, card: BundleCard) -> BundleCard:
        """The card of the finished bundle."""
        return replace(
            card,
            last_layer=self.last_layer,
            keep_tokens=self.keep_tokens,
            lost_alone=self.lost_alone,
            excluded=self.excluded,
            embeddings=self.embeddings,
            parameters=card.parameters - self.saved,
            embedding_parameters=card.embedding_parameters - self.saved,
        )

    def facts(self) -> Summary:
        """For the stage's summary: the parts that lost most, and those that stay in fp32."""
        facts: Summary = {}
        if self.lost_alone is not None:
            facts["most lost alone"] = most_lost(self.lost_alone)
        if self.excluded is not None:
            facts["excluded"] = ", ".join(self.excluded) or "nothing"
        return facts


def most_lost(alone: Mapping[str, float]) -> str:
    """The three parts that lose most, with the percent of labels each loses."""
    return ", ".join(f"{name} {alone[name]:.2f}%" for name in sensitivity.ranked(alone)[:3])


def make_graph(
    session: Session, exporter: GraphExporter, card: BundleCard, out: Path, options: ExportOptions
) -> MadeGraph:
    """Write the graph of a checkpoint.

    Args:
        session: the checkpoint, opened in torch.
        card: of the bundle, as far as it is known before the graph is made.

    Raises:
        CalibrationError: the precision needs calibration text and there is none.
        ExcludeError: there is no such part to exclude.
        ExportError: the model cannot leave tokens out.
        EmbeddingsError: the graph cannot store its word embeddings in that form.
    """
    predictor: Any = session.predictor
    text = _calibration_text(session, exporter, card.precision, options)
    choices = predictor.labels == CHOICE
    traced = trace(
        predictor.model,
        exporter.runtime,
        choices=choices,
        precision=card.precision,
        whole=options.whole_last_layer or not predictor.labels,  # without labels: an encoder
        kept=options.keep_tokens,
    )
    names: tuple[str, ...] | None = None
    alone: Mapping[str, float] | None = None
    excluded: Sequence[str] = ()
    if options.exclude:
        parts = sensitivity.groups(traced.program, family_of(predictor.model))
        if options.exclude == "auto":
            names, alone = _choose(traced, parts, session, text, card, options.max_drop, out)
        else:
            names = options.exclude
        excluded = sensitivity.nodes(parts, names)
    how = Quantizing(card.precision, samples(text, choices), options.weights, exclude=excluded)
    traced.save(quantize(traced, how), out)
    bundle.write_config(model_config(predictor.directory), out)  # over what transformers wrote
    saved = 0
    if options.embeddings is not None:
        table = predictor.model.get_input_embeddings().weight.detach().float().numpy()
        form = options.embeddings
        stored = exporter.store_embeddings(out / card.file, table, form.name, form.weights)
        saved = table.size - stored
    return MadeGraph(
        FIRST_TOKEN if traced.shortened else None,
        options.keep_tokens or None,
        alone,
        names,
        options.embeddings.name if options.embeddings is not None else None,
        saved,
    )


def _calibration_text(
    session: Session, exporter: GraphExporter, precision: str, options: ExportOptions
) -> Text:
    """Sequences per language; none where nothing is calibrated or measured."""
    calibrated = exporter.precisions[precision].calibrated
    if not calibrated and options.exclude != "auto" and options.weights.rounding == "nearest":
        return {}
    if options.calibration is None:
        raise CalibrationError(
            f"{exporter.runtime} {precision} needs calibration text; give some rows"
        )
    return options.calibration.sequences(session.tokenizer, session.predictor.max_length)


def _choose(
    traced: Traced,
    parts: Mapping[str, Sequence[str]],
    session: Session,
    text: Text,
    card: BundleCard,
    max_drop: float,
    out: Path,
) -> tuple[tuple[str, ...], dict[str, float]]:
    """The parts that stay in fp32, and the percent of labels that each part loses alone."""

    def lost(how: Quantizing) -> float:
        with tempfile.TemporaryDirectory(dir=out) as folder:
            place = Path(folder)
            traced.save(quantize(traced, how), place)
            bundle.write_config(model_config(session.predictor.directory), place)
            bundle.write_card(place, card.as_json())
            return 100.0 - outputs.compare(session, open_model(place), text).agreement

    alone = {name: lost(Quantizing(card.precision, only=nodes)) for name, nodes in parts.items()}
    names = sensitivity.fewest(
        alone,
        max_drop,
        lambda kept: lost(Quantizing(card.precision, exclude=sensitivity.nodes(parts, kept))),
    )
    return names, {name: round(value, 4) for name, value in alone.items()}
