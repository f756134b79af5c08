"""Export a checkpoint to a bundle for a runtime, behind a gate on the labels that stay equal.

>>> parity, facts = export(checkpoint, out, runtime="onnxruntime", precision="int8", probe=probe)
>>> facts["MB"], facts["agreement %"]
(119.2, 98.5)

A graph gives the logits and every layer's hidden states, so that one bundle serves prediction and
retrieval; the last layer's are left out where the head reads one token of them. It is traced in
fp32 and quantized after that. A bundle for torch is a checkpoint instead. What differs from runtime
to runtime is in `compress/export/runtimes/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compress.errors import ExportError
from compress.export import bundle, bundle_readme
from compress.export.bundle import BundleCard
from compress.export.exporter import CheckpointExporter, Exporter, GraphExporter
from compress.export.graph import ExportOptions, Text, make_graph, most_lost
from compress.export.registry import EXPORTERS, layouts
from compress.export.sensitivity import ranked
from compress.gate import Least, hold
from compress.prune.structure import drop_silent_heads, heads_of
from evalsuite.agreement import outputs
from evalsuite.errors import ModelError
from evalsuite.inference.batch_runner import run
from evalsuite.inference.checkpoint_config import FIRST_TOKEN, model_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import Predictor
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.retrieval.declared_vectors import SentenceModel, declared_by
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.runtimes.torch import TorchPredictor, architecture, load_checkpoint
from transfer.loop.types import Summary
from transfer.models.checkpoints import copy_tokenizer
from transfer.models.sentence_files import complete_sentence_files


def export(
    directory: Path,
    out: Path,
    *,
    runtime: str = "onnxruntime",
    precision: str,
    options: ExportOptions | None = None,
    probe: Probe | None = None,
    min_agreement: float | Least = 0.0,
    lineage: Sequence[str] = (),
) -> tuple[outputs.Parity | None, Summary]:
    """Write a bundle to `out`.

    Args:
        precision: one of the runtime's exporter's `precisions`.
        options: of a graph.
        probe: text on which labels of bundle and checkpoint are compared; None: no comparison.
        min_agreement: percent of labels that must stay equal, over all languages or also in each
            of them, or the export fails.
        lineage: what the checkpoint was made from, for the card.

    Returns:
        the comparison, and figures for the stage's summary.

    Raises:
        UnknownNameError: there is no such runtime.
        ExportError: the bundle does not open, or does not run.
        GateError: too few labels stay equal; names the worst language and the parts that lose most.
        CalibrationError: the precision needs calibration text and there is none.
        ExcludeError: there is no such part to exclude.
        EmbeddingsError: the graph cannot store its word embeddings in that form.
        MissingExtraError: the runtime, or what quantizes for it, is not installed.
    """
    options = options or ExportOptions()
    least = min_agreement if isinstance(min_agreement, Least) else Least(min_agreement)
    exporter = EXPORTERS.get(runtime)
    exporter.prepare(precision)
    model = load_checkpoint(directory)
    graph = isinstance(exporter, GraphExporter)
    if graph:
        model.float()  # a graph is traced in fp32, whatever the weights are stored in
    silent = drop_silent_heads(model) if graph else 0  # a checkpoint's config cannot record it
    session = Session(TorchPredictor(directory, model, "fp32"))
    out.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(directory, out)
    made_from = (*lineage, f"weights sha256:{model_size.digest(directory)}")
    card = _card(session, exporter, precision, silent, made_from)
    facts: Summary = {}
    if isinstance(exporter, GraphExporter):
        made = make_graph(session, exporter, card, out, options)
        card, facts = made.on(card), made.facts()
    elif isinstance(exporter, CheckpointExporter):
        exporter.write(directory, out, precision)
    complete_sentence_files(out)
    if options.layout is not None:
        card = layouts()[options.layout].arrange(out, card)
    bundle.write_card(out, card.as_json())
    opened = _opened(out, session)
    parity = None
    if probe is not None and probe.per_language:
        text = probe.sequences(session.tokenizer, session.predictor.max_length)
        parity = outputs.compare(session, opened, text)
        form = f" with {card.embeddings} embeddings" if card.embeddings else ""
        more = "keep more tokens, " if card.keep_tokens else ""
        hold(
            parity,
            least.overall,
            f"{precision} export{form}",
            f"lower min_agreement, {more}or {exporter.remedy}",
            lambda: weakest_parts(session, out, text, card),
            per_language=least.per_language,
        )
    licence = bundle.licence_of(directory)
    bundle.seal(out, card, bundle_readme.readme(card, parity, licence))
    sizes: Summary = {
        "MB": round(model_size.sizes(out)[0] / 1e6, 2),
        "MB before": round(model_size.sizes(directory)[0] / 1e6, 2),
    }
    return parity, sizes | facts | (parity.facts() if parity is not None else {})


def _card(
    session: Session, exporter: Exporter, precision: str, silent: int, made_from: tuple[str, ...]
) -> BundleCard:
    """The card, as far as it is known before the model is written.

    Args:
        silent: parameters of the attention heads that were removed because they are silent.
    """
    predictor = session.predictor
    assert isinstance(predictor, TorchPredictor)
    config = model_config(predictor.directory)
    total, embeddings = model_size.parameter_counts(predictor.directory)
    return BundleCard(
        runtime=exporter.runtime,
        file=exporter.file,
        precision=precision,
        head=predictor.head if predictor.labels else None,
        labels=tuple(predictor.labels),
        answers=predictor.answers,
        padding=(session.pad_id, session.tokenizer.id_to_token(session.pad_id) or "<pad>"),
        layers=predictor.layers,
        max_length=predictor.max_length,
        architecture=architecture(config),
        parameters=total - silent,
        embedding_parameters=embeddings,
        made_from=made_from,
        heads=heads_of(predictor.model) if silent else None,
        vectors=_vectors(predictor.directory),
    )


def _vectors(directory: Path) -> SentenceModel:
    """How vectors are made, for the README's example; the mean where that is not supported."""
    try:
        return declared_by(directory)
    except ModelError:
        return SentenceModel()


def _opened(out: Path, session: Session) -> Predictor:
    """The bundle, opened by its runtime, after it has run a batch.

    Raises:
        ExportError: it does not open, does not run, or gives no finite numbers.
    """
    import numpy as np

    try:
        opened = open_model(out)
        output = "logits" if opened.labels else f"hidden_states.{opened.layers}"
        (values,) = run(
            opened, encode_sentences(session.tokenizer, ["A"], 8), output, session.pad_id
        )
    except Exception as error:  # runtimes raise errors of their own
        raise ExportError(f"the bundle does not run: {error}") from error
    if not np.isfinite(values).all():
        raise ExportError("the bundle gives numbers that are not finite")
    return opened


def weakest_parts(session: Session, out: Path, text: Text, card: BundleCard) -> str:
    """The parts of a bundle that lose most: as measured one by one, or by how far each layer's
    hidden states are from the checkpoint's; empty where the runtime does not have its layers.

    >>> weakest_parts(session, out, text, card)
    'layers that add most to the drift of hidden states: layer 1 +9.8%, layer 0 +3.1%, ...'
    """
    if card.lost_alone:
        return f"labels lost by parts quantized alone: {most_lost(card.lost_alone)}"
    layers, second = session.predictor.layers, open_model(out)
    computed = EXPORTERS.get(card.runtime).every_layer and card.layout is None
    if second.layers != layers or not computed:
        return ""  # a runtime that computes no such hidden states
    count = layers if card.last_layer == FIRST_TOKEN else layers + 1
    count = min(card.keep_tokens or (count,))
    drift = outputs.drift(session, second, text, count)
    names = ["embeddings", *(f"layer {index}" for index in range(len(drift) - 1))]
    steps = [after - before for before, after in zip([0.0, *drift], drift, strict=False)]
    added = dict(zip(names, steps, strict=True))
    return "layers that add most to the drift of hidden states: " + ", ".join(
        f"{name} {added[name]:+z.1f}%" for name in ranked(added)[:3]
    )
