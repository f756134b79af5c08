"""Fuse an adapter, or several combined, into their base.

>>> fused = fuse(Path("adapter"), TASKS.get("xnli"), Path("out"), probe=probe)
>>> fused.drift["dequantized"].agreement
100.0

An adapter trained on an NF4 or int8 base saw the dequantized weights, so merging it into the
original weights gives another function. By default it is merged into the dequantized base; the
drift from the live adapter is measured for that and for the original base alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compress.errors import FuseError
from compress.fuse.adapters import Onto, attached, merged, predictor, read
from compress.fuse.combine import How, Mixer
from compress.fuse.requantize import Loss, Quantized, requantize, weights_below
from compress.fuse.rules import weights_problem
from compress.fuse.weight_search import Found, Search, described, search
from evalsuite import tokenization
from evalsuite.agreement import outputs
from evalsuite.data.unlabelled import unlabelled
from evalsuite.errors import DataError
from evalsuite.inference.probe_text import Probe, sample_rows
from evalsuite.inference.session import Session
from evalsuite.task import Example, Task
from transfer.models import cards, checkpoints
from transfer.models.adapters import Adapter, AdapterPredictor
from transfer.models.checkpoints import Precision
from transfer.models.label_rows import put_in_order
from transfer.models.sentence_files import copy_sentence_files


@dataclass(frozen=True, slots=True)
class Mix:
    """Further adapters that are combined with the first.

    Attributes:
        weights: one an adapter, the first one's first; or how they are searched for.
    """

    others: tuple[Path, ...]
    weights: tuple[float, ...] | Search
    how: How = field(default_factory=How)


@dataclass(frozen=True, slots=True)
class Target:
    """The weights an adapter is fused onto, and what becomes of the sum.

    Attributes:
        onto: the base's weights as they were in training (dequantized), or the original ones.
        rounded_to: take the merged weights through this quantizer. What is written is an fp32
            checkpoint of the values it stores, so that any stage and plain transformers open it;
            loading it in that precision changes next to nothing more.
    """

    onto: Onto = "dequantized"
    rounded_to: Quantized | None = None


@dataclass(frozen=True, slots=True)
class Fused:
    """What a fuse did.

    Attributes:
        precision: the base's, in training.
        drift: from the live adapter, by what it was fused onto; `requantized` is what was written
            where it was requantized.
        scores: of `live` and of these, percent by language; empty where nothing was scored.
        found: weights of combined adapters.
        loss: what requantizing left of the update.
    """

    precision: Precision
    drift: dict[str, outputs.Parity] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    found: Found | None = None
    loss: Loss | None = None


def fuse(
    directory: Path,
    task: Task | None,
    out: Path,
    *,
    mix: Mix | None = None,
    target: Target | None = None,
    probe: Probe | None = None,
    scored: Probe | None = None,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Fused:
    """Merge the adapter in `directory` and write a plain checkpoint to `out`.

    Args:
        task: whose head the adapter carries; None for an encoder's adapter.
        mix: adapters to combine it with first; the head stays this one's.
        target: default the dequantized base, and no rounding.
        probe: text to measure the drift on; without it the drift is not measured.
        scored: rows with the head's labels, to score live and fused models on; languages whose
            rows have no labels are left out.

    Raises:
        FuseError: not an adapter, a prompt, or adapters that do not go together.
        AdapterError: its base is gone, or its task not known.
        DataError: no row that is to be scored has a label.
        MissingExtraError: weights are to be searched, and optuna is not installed.
    """
    adapter, target = read(directory), target or Target()
    with TemporaryDirectory() as work:
        found = None
        if mix is not None:
            adapter, found = _mixed(
                adapter, task, target.onto, mix, Path(work) / "adapter", progress
            )
        fused = _fuse(adapter, task, out, found, target, probe, scored)
    copy_sentence_files(directory, out)  # as the adapter, of several the first, was trained
    return fused


def _mixed(
    first: Adapter, task: Task | None, onto: Onto, mix: Mix, out: Path, progress: Any
) -> tuple[Adapter, Found]:
    """The combined adapter, written to `out`."""
    adapters = [first, *map(read, mix.others)]
    mixer = Mixer(adapters, task, mix.how)
    if not isinstance(mix.weights, Search):
        if problem := weights_problem(len(mix.weights), len(adapters)):
            raise FuseError(problem)
        return mixer.write(mix.weights, out), Found(mix.weights, {}, 0)
    if task is None:
        raise FuseError("weights: search needs an adapter with a task's head; give numbers")
    start = mixer.write([1.0] * len(adapters), out)
    found = search(mixer, start, task, onto, mix.weights, progress)
    return mixer.write(found.weights, out), found


def _fuse(
    adapter: Adapter,
    task: Task | None,
    out: Path,
    found: Found | None,
    target: Target,
    probe: Probe | None,
    scored: Probe | None,
) -> Fused:
    onto, requantized = target.onto, target.rounded_to
    tokenization.load(adapter.base)  # it is copied: whole, or an error
    model = attached(adapter, task, onto)
    before = weights_below(model) if requantized else {}
    written = fused = merged(model)
    did = [f"adapter fused onto the {onto} base ({adapter.precision})"]
    if found is not None:
        did.insert(0, f"{len(found.weights)} adapters combined, weights {described(found.weights)}")
    models: dict[str, Callable[[], Any]] = {onto: lambda: fused}
    loss = None
    if requantized:
        checkpoints.save(fused, adapter.base, out, "")
        written, loss = requantize(fused, out, task, requantized, before)
        put_in_order(written, adapter.labels(task))
        models["requantized"] = lambda: written
        did.append(f"linear layers rounded to {requantized}")
    card = cards.card("Fused checkpoint", [*did, f"base: {adapter.base.name}"])
    checkpoints.save(written, adapter.base, out, card)
    if adapter.precision in ("int8", "nf4"):
        other: Onto = "original" if onto == "dequantized" else "dequantized"
        models[other] = lambda: merged(attached(adapter, task, other))
    drift, scores = _measured(adapter, task, models, probe, scored)
    return Fused(adapter.precision, drift, scores, found, loss)


def _measured(
    adapter: Adapter,
    task: Task | None,
    models: dict[str, Callable[[], Any]],
    probe: Probe | None,
    scored: Probe | None,
) -> tuple[dict[str, outputs.Parity], dict[str, dict[str, float]]]:
    """Drift from the live adapter, and scores, of each model."""
    drift: dict[str, outputs.Parity] = {}
    scores: dict[str, dict[str, float]] = {}
    probe, scored = _asked(probe), _asked(scored)
    if probe is None and scored is None:
        return drift, scores
    session = Session(AdapterPredictor(adapter, task))
    if probe is not None:
        text = probe.sequences(session.tokenizer, session.predictor.max_length)
    if scored is not None:
        rows = _labelled_rows(scored)
        scores["live"] = _scores(session, scored.task, rows)
    for name, make in models.items():
        second = predictor(make(), adapter, task)
        if probe is not None:
            drift[name] = outputs.compare(session, second, text)
        if scored is not None:
            scores[name] = _scores(Session(second), scored.task, rows)
    return drift, scores


def _labelled_rows(scored: Probe) -> dict[str, Sequence[Example]]:
    """Rows of the languages whose labels are shown.

    Raises:
        DataError: there is no such language.
    """
    task, source = scored.task, scored.source
    split = task.eval_split(source)
    if problem := unlabelled(task, source, split):
        raise DataError(problem)
    labelled = task.available(source, split)
    rows = sample_rows(task, source, scored.per_language)
    return {language: own for language, own in rows.items() if language in labelled}


def _asked(probe: Probe | None) -> Probe | None:
    return probe if probe is not None and probe.per_language > 0 else None


def _scores(session: Session, task: Task, rows: dict[str, Sequence[Example]]) -> dict[str, float]:
    return {language: session.score(task, language, own) for language, own in rows.items()}
