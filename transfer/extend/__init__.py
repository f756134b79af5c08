"""Give an English encoder new languages.

>>> extend(english_dir, source, Options(vocabulary=32000, steps=12000, ...), work=work, out=out)

The encoder's layers are carried into the XLM-R architecture behind a new multilingual vocabulary,
whose embeddings start from the English ones they are translated by. Then objectives mixed by batch
teach the languages: sentence-embedding distillation on parallel text, with the English encoder as
teacher (Reimers & Gurevych 2020); the same from a multilingual teacher, which needs no parallel
text, on lines and on single words; translation language modelling (Lample & Conneau 2019); masked
language modelling.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.trainer_utils import set_seed

from evalsuite import tokenization
from evalsuite.task import DataSource
from transfer import cards, checkpoints
from transfer.batches import Batch, padded
from transfer.carry import carry, load_english
from transfer.extend.corpus import Corpus, encode, train_vocabulary
from transfer.extend.curve import Curve, Watch
from transfer.extend.options import Options as Options
from transfer.extend.plan import LINES, PAD, SENTENCES, WORDS, make_plan
from transfer.extend.start import embeddings
from transfer.objectives import mlm, sentences
from transfer.targets import embed, targets
from transfer.teachers import get as get_teacher
from transfer.text import Ragged, read
from transfer.train import Fitted, Progress, Tensors, fit, resolve_compute

_RIDGE = 5_000  # English lines the head starts from


def extend(
    english_dir: Path,
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
    watch: Watch | None = None,
) -> tuple[Fitted, dict[str, float | int | str]]:
    """Carry, start, train; write a masked-LM checkpoint to `out`.

    Args:
        watch: `(encoder, tokenizer, tokens seen) -> figures`, called at the points of the curve
            beside the held-out retrieval.

    Raises:
        DataError: there is no parallel text.
        ModelError: the encoder is not a BERT.
    """
    original = load_english(english_dir)
    english_tokenizer = tokenization.load(english_dir)
    text = read(
        source, options.languages, options.max_pairs, options.max_lines, options.prose, progress
    )
    tokenizer_dir = work / "tokenizer"
    train_vocabulary(
        text, options, tokenizer_dir, original.config.max_position_embeddings, progress
    )
    tokenizer = tokenization.load(tokenizer_dir)
    progress(0.0, "encoding text")
    corpus = encode(tokenizer, text, options)
    progress(0.0, "starting embeddings")
    set_seed(options.settings.seed)
    table = embeddings(original, english_tokenizer, tokenizer, corpus, options)
    model = carry(original, torch.from_numpy(table))
    compute = resolve_compute(options.settings.compute)
    if torch.cuda.is_available():
        original.cuda()

    def english(lines: Sequence[str]) -> np.ndarray:
        ids = _english(english_tokenizer, lines)
        return embed(original, ids, original.config.pad_token_id, compute)

    plan = make_plan(tokenizer, corpus, options)
    vectors = {}
    if plan.lines[SENTENCES]:
        vectors[SENTENCES] = targets(english, plan.lines[SENTENCES], work / "teacher", progress)
    if options.teacher is not None and options.lines + options.words > 0:
        second = get_teacher(options.teacher)
        multilingual = second.open()
        for part in (part for part in (LINES, WORDS) if plan.lines[part]):
            place = work / f"{options.teacher}-{part}"
            vectors[part] = targets(multilingual, plan.lines[part], place, progress)
        model.head = nn.Linear(original.config.hidden_size, second.width, bias=False)
        some = sorted({pair[2] for pair in text.pairs[: 4 * _RIDGE]})[:_RIDGE]
        with torch.no_grad():
            model.head.weight.copy_(_regress(english(some), multilingual(some)))
    mask_id = tokenization.id_of(tokenizer, "<mask>")

    def collate(batch: Batch) -> Tensors:
        ids = [plan.parts[batch.part].ids[i] for i in batch.indices]
        if batch.part not in vectors:
            return mlm.collate(ids, PAD, mask_id, batch.seed, options.mask_rate)
        rows = [plan.parts[batch.part].rows[i] for i in batch.indices]
        wanted = torch.from_numpy(vectors[batch.part][rows]).float()
        tensors = padded(ids, PAD)
        wanted = nn.functional.normalize(wanted, dim=-1)
        return {**tensors, "target": wanted, "through_head": batch.part != SENTENCES}

    def objective(module: Any, batch: Tensors) -> torch.Tensor:
        if "target" not in batch:
            return mlm.loss(module, batch)
        wanted, through_head = batch.pop("target"), batch.pop("through_head")
        hidden = module.base_model(**batch).last_hidden_state
        embedding = sentences.pool(hidden, batch["attention_mask"])
        if through_head:
            embedding = nn.functional.normalize(module.head(embedding).float(), dim=-1)
        return sentences.loss(embedding, wanted, options.contrast)

    curve = Curve(model, tokenizer, corpus, plan, options, work / "curve.json", compute, watch)
    model.roberta.requires_grad_(not options.freeze_body)
    model.get_input_embeddings().weight.requires_grad_(True)
    model.train()
    fitted = fit(
        model, plan.batches, collate, objective, options.settings, work, progress, after=curve
    )
    model.eval().cpu()
    model.head = None  # not part of the encoder
    if options.store == "fp16":
        model.half()
    checkpoints.save(model, tokenizer_dir, out, _card(english_dir, source, corpus, options))
    points = curve.points()
    (out / "curve.json").write_text(json.dumps(points, indent=2), encoding="utf-8")
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_a_step, 1),
        "sentence pairs": len(text.pairs),
        "single lines": len(text.lines),
        "dropped as evaluation text": text.dropped,
        "languages": len(text.languages),
        "vocabulary": tokenizer.get_vocab_size(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens seen": plan.tokens(len(plan.batches)),
        "held-out retrieval": points[-1]["held-out retrieval"] if points else "not measured",
    }


def _english(tokenizer: Any, lines: Sequence[str]) -> Ragged:
    """Ids as the English encoder takes them, special tokens included."""
    tokenizer.enable_truncation(256)
    encoded = tokenizer.encode_batch(list(lines))
    tokenizer.no_truncation()
    return Ragged([encoding.ids for encoding in encoded])


def _regress(inputs: np.ndarray, outputs: np.ndarray, ridge: float = 1.0) -> torch.Tensor:
    """Weight `[out, in]` of the linear map that takes `inputs` nearest to `outputs`."""
    square = inputs.T @ inputs + ridge * np.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.from_numpy(np.linalg.solve(square, inputs.T @ outputs).T.copy())


def _card(english_dir: Path, source: DataSource, corpus: Corpus, options: Options) -> str:
    return cards.card(
        "English encoder extended to new languages",
        [
            f"layers from: {english_dir.name}, carried into the XLM-R architecture",
            f"languages: {' '.join(corpus.text.languages)}",
            f"text: {source.kind} source, {len(corpus.train)} sentence pairs "
            f"and {len(corpus.lines)} single lines",
            f"shares of batches: sentence distillation {options.sentences:g}, from "
            f"{options.teacher or 'a second teacher'}: lines {options.lines:g}, words "
            f"{options.words:g}; translation LM {options.tlm:g}, masked LM {options.mlm:g}",
            "sentence embedding: mean over tokens of the last layer",
        ],
    )
