"""Give an English encoder new languages.

>>> extend(english_dir, source, Options(vocabulary=32000, steps=12000, ...), work=work, out=out)

The encoder's layers are carried into the XLM-R architecture behind a new multilingual vocabulary,
whose embeddings start from the English ones they are translated by. Then objectives mixed by batch
teach the languages: sentence-embedding distillation on parallel text, with the English encoder as
teacher (Reimers & Gurevych 2020); the same from a multilingual teacher, which needs no parallel
text, on lines and on single words; translation language modelling (Lample & Conneau 2019); masked
language modelling. Single lines may be a stream (`transfer.extend.streams`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.task import DataSource
from transfer.extend.corpus import Corpus, encode, read_text, train_vocabulary
from transfer.extend.curve import Curve
from transfer.extend.options import Options as Options
from transfer.extend.plan import ENGLISH, LINES, PAD, SENTENCES, WORDS, Plan, make_plan
from transfer.extend.rules import is_english
from transfer.extend.start import embeddings, refuse_unknown_tokens
from transfer.extend.streams import StreamRows, all_rows, open_streams
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.compute import resolve_compute
from transfer.loop.fit import Fitted, fit
from transfer.loop.types import Collate, Objective, Progress, Summary, Tensors, TrainingData
from transfer.models import cards, checkpoints
from transfer.models.to_xlmr import carry, load_english
from transfer.objectives import mlm, sentences
from transfer.registry import TEACHERS
from transfer.text.teacher_vectors import embed, targets

_RIDGE = 5_000  # English lines the head starts from
Vectors = Callable[[Sequence[int]], np.ndarray]  # rows of a part -> a teacher's vectors of them


def extend(
    english_dir: Path,
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> tuple[Fitted, Summary]:
    """Carry the encoder over, start its embeddings, train; write a masked-LM checkpoint to `out`.

    Returns:
        What the training did, and the lines of the stage's summary.

    Raises:
        DataError: there is no text to learn from.
        ModelError: the encoder is not a BERT, lacks a special token of BERT, or has fewer positions
            than `max_length` needs.
        MissingExtraError: the second teacher is not installed.
    """
    original = load_english(english_dir)
    _check_length(original, options)
    english_tokenizer = tokenization.load(english_dir)
    refuse_unknown_tokens(english_tokenizer, english_dir.name)
    text = read_text(source, options, progress)
    tokenizer_dir = work / "tokenizer"
    longest = original.config.max_position_embeddings
    train_vocabulary(text, options, tokenizer_dir, longest, progress)
    tokenizer = tokenization.load(tokenizer_dir)
    progress(0.0, "encoding text")
    corpus = encode(tokenizer, text, options)
    streams = open_streams(options, tokenizer_dir, source, progress)
    plan = make_plan(tokenizer, corpus, options, streams)
    progress(0.0, "starting embeddings")
    set_seed(options.settings.seed)
    table = embeddings(original, english_tokenizer, tokenizer, corpus, options)
    model = carry(original, torch.from_numpy(table))
    vectors = _teach(model, original, english_tokenizer, corpus, plan, options, work, progress)
    pieces = mlm.Pieces.of(tokenizer)
    collate = _collate(plan, vectors, pieces, options.mask_rate)
    data = TrainingData(plan.batches, collate, rows=plan.batches.rows)
    curve = Curve(model, corpus, plan.seen, options, work / "curve.json")
    model.base_model.requires_grad_(not options.freeze_body)
    model.get_input_embeddings().weight.requires_grad_(True)
    model.train()
    objective = _objective(options.contrast)
    fitted = fit(model, data, objective, options.settings, work, progress, after=curve)
    lines = all_rows(streams) or len(corpus.lines)
    card = _card(english_dir, source, corpus, lines, options)
    _save(model, tokenizer_dir, out, options, card)
    points = curve.points()
    (out / "curve.json").write_text(json.dumps(points, indent=2), encoding="utf-8")
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms per step": round(1000 * fitted.seconds_per_step, 1),
        "sentence pairs": len(text.pairs),
        "single lines": lines,
        **({"dropped as evaluation text": text.dropped} if plan.seen else {}),
        "languages": len(text.languages),
        "vocabulary": tokenizer.get_vocab_size(),
        "parameters": sum(p.numel() for p in model.parameters()),
        **({"tokens seen": plan.seen[-1]} if plan.seen else {"rows seen": fitted.examples}),
        "held-out retrieval": points[-1]["held-out retrieval"] if points else "not measured",
    }


def _collate(
    plan: Plan, vectors: dict[int, Vectors], pieces: mlm.Pieces, mask_rate: float
) -> Collate:
    """Builds the tensors of a batch: masked text, or text with a teacher's vectors as `target`.

    Args:
        vectors: for each part that a teacher embeds, gives the vectors of its rows.
    """

    def collate(batch: Batch) -> Tensors:
        part = plan.parts[batch.part]
        ids = [part.ids[i] for i in batch.indices]
        if batch.part not in vectors:
            return mlm.collate(ids, PAD, pieces, batch.seed, mask_rate)
        found = torch.from_numpy(vectors[batch.part](batch.indices))
        target = nn.functional.normalize(found.float())
        through_head = batch.part not in (SENTENCES, ENGLISH)
        return {**padded(ids, PAD), "target": target, "through_head": through_head}

    return collate


def _objective(contrast: float) -> Objective:
    """The loss of a batch: masked LM, or the distance to the teacher's vectors."""

    def objective(module: Any, batch: Tensors) -> torch.Tensor:
        if "target" not in batch:
            return mlm.loss(module, batch)
        target, through_head = batch.pop("target"), batch.pop("through_head")
        hidden = module.base_model(**batch).last_hidden_state
        embedding = sentences.pool(hidden, batch["attention_mask"])
        if through_head:
            embedding = nn.functional.normalize(module.head(embedding).float())
        return sentences.loss(embedding, target, contrast)

    return objective


def _save(model: Any, tokenizer_dir: Path, out: Path, options: Options, card: str) -> None:
    """Write the trained model without the head of the second teacher."""
    model.eval().cpu()
    model.head = None
    if options.store == "fp16":
        model.half()
    checkpoints.save(model, tokenizer_dir, out, card)


def _check_length(original: Any, options: Options) -> None:
    """Raise unless the encoder has positions for the longest sequence."""
    longest = options.max_length * (2 if options.tlm > 0 else 1)
    positions = original.config.max_position_embeddings
    if longest > positions:
        pairs = ", and pairs twice that" if options.tlm > 0 else ""
        raise ModelError(
            f"max_length: {options.max_length}{pairs}, but the English encoder has {positions} "
            "positions; lower max_length"
        )


def _teach(
    model: Any,
    original: Any,
    tokenizer: Any,
    corpus: Corpus,
    plan: Plan,
    options: Options,
    work: Path,
    progress: Progress,
) -> dict[int, Vectors]:
    """What the teachers make of the plan's text, a part; of a stream when it is asked for. For the
    second one `model` gets a head, begun as the linear map from the first one's vectors to its
    own."""
    compute = resolve_compute(options.settings.compute)
    if torch.cuda.is_available():
        original.cuda()

    def english(lines: Sequence[str]) -> np.ndarray:
        tokenizer.enable_truncation(original.config.max_position_embeddings)
        ids = [encoding.ids for encoding in tokenizer.encode_batch(list(lines))]
        tokenizer.no_truncation()
        return embed(original, ids, original.config.pad_token_id, compute)

    def embedded(part: int, teacher: Callable[[Sequence[str]], np.ndarray], place: Path) -> Vectors:
        ids, rows = plan.parts[part].ids, plan.parts[part].rows
        if isinstance(ids, StreamRows):
            return lambda indices: teacher([ids.text(i) for i in indices])
        once = targets(teacher, plan.parts[part].lines, place, progress)
        return lambda indices: once[[rows[i] for i in indices]]

    def is_read(part: int) -> bool:
        return bool(plan.parts[part].lines) or isinstance(plan.parts[part].ids, StreamRows)

    vectors = {
        part: embedded(part, english, work / "teacher")
        for part in (SENTENCES, ENGLISH)
        if is_read(part)
    }
    taught = [part for part in (LINES, WORDS) if is_read(part)]
    if options.teacher is None or not taught:
        return vectors
    second = TEACHERS.get(options.teacher)
    multilingual = second.open()
    for part in taught:
        vectors[part] = embedded(part, multilingual, work / f"{options.teacher}-{part}")
    lines = [pair[2] for pair in corpus.text.pairs[: 4 * _RIDGE]]
    if not lines:
        codes = corpus.text.languages
        lines = [line for number, line in corpus.text.lines if is_english(codes[number])]
    some = sorted(set(lines))[:_RIDGE]
    model.head = nn.Linear(original.config.hidden_size, second.width, bias=False)
    with torch.no_grad():
        model.head.weight.copy_(_regress(english(some), multilingual(some)))
    return vectors


def _regress(inputs: np.ndarray, outputs: np.ndarray) -> torch.Tensor:
    """Weight `[out, in]` of the linear map that takes `inputs` nearest to `outputs`, by ridge
    regression."""
    square = inputs.T @ inputs + np.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.from_numpy(np.linalg.solve(square, inputs.T @ outputs).T.copy())


def _card(
    english_dir: Path, source: DataSource, corpus: Corpus, lines: int, options: Options
) -> str:
    shares = f"sentence distillation {options.sentences:g}, "
    if options.teacher is not None:
        shares += f"{options.teacher}: lines {options.lines:g}, words {options.words:g}, "
    return cards.card(
        "English encoder extended to new languages",
        [
            f"layers from: {english_dir.name}, carried into the XLM-R architecture",
            f"languages: {' '.join(corpus.text.languages)}",
            f"text: {source.kind} source, {len(corpus.train)} sentence pairs "
            f"and {lines} single lines",
            f"shares of batches: {shares}translation LM {options.tlm:g}, masked LM {options.mlm:g}",
            "sentence embedding: mean over tokens of the last layer",
        ],
    )
