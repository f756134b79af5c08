"""Put the pieces back that a trim cut away.

>>> restore(Path("tuned"), Path("base"), Path("out"), trimmed=Path("base-in-12-languages"))

A checkpoint trimmed before fine-tuning, tuned, and restored has the rows it was tuned with and the
original's for the others, so that a language left out can be tried after all. Which rows these are
is in the record next to the trimmed checkpoint; no training copies it.

With word embeddings frozen, a training on a vocabulary of its training rows alone gives the same
model in less memory.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from compress.errors import TrimError
from compress.trim import weight_rows
from compress.trim.trim import RECORD
from evalsuite.opening.tokenizer import tokenizer_json
from evalsuite.retrieval.declared_vectors import FILES
from transfer.models import cards
from transfer.models.checkpoints import copy_tokenizer
from transfer.models.sentence_files import complete_sentence_files, copy_sentence_files


def restore(model: Path, original: Path, out: Path, *, trimmed: Path | None = None) -> int:
    """Write a trimmed checkpoint with the original's whole vocabulary to `out`.

    What was trained since stays; pieces that were cut come back as the original has them.

    Args:
        model: what trim wrote, or a checkpoint that was trained from it.
        trimmed: what trim wrote, whose record is read; default: `model`.

    Returns:
        How many pieces were put back.

    Raises:
        TrimError: no record next to the trimmed checkpoint, the record is of another number of
            pieces, or the original is another one, or of another width.
    """
    import torch

    trimmed = model if trimmed is None else trimmed
    path = trimmed / RECORD
    if not path.is_file():
        raise TrimError(
            f"{trimmed} has no {RECORD}; trimmed: give the folder that trim wrote, which has it"
        )
    record = json.loads(path.read_text(encoding="utf-8"))
    raw = tokenizer_json(original)
    if hashlib.sha256(raw.encode()).hexdigest() != record["tokenizer_before"]:
        raise TrimError(f"{original} has another tokenizer than the one {trimmed} was cut from")
    config, weights = weight_rows.load(model)
    before, whole = weight_rows.load(original)
    old = torch.tensor(record["old_ids"])
    names = weight_rows.names(weights, config, model)
    if config["vocab_size"] != len(old):
        raise TrimError(
            f"{model} has {config['vocab_size']:,} pieces, and {path} is of a model with "
            f"{len(old):,}; give as trimmed= the folder that trim wrote"
        )
    for name in names:
        if (source := weight_rows.namesake(whole, before, name)) is None:
            raise TrimError(f"{original} has no {name}; it is not what {trimmed} was cut from")
        if whole[source].shape[1:] != weights[name].shape[1:]:
            raise TrimError(
                f"{name} has {weights[name].shape[-1]} numbers per piece in {model}, and "
                f"{whole[source].shape[-1]} in {original}; restore it before it is made "
                "narrower"
            )
        table = whole[source].to(weights[name].dtype).clone()
        table[old] = weights[name]
        weights[name] = table
    ids = {key: value for key, value in before.items() if key.endswith("_token_id")}
    others = {key: value for key, value in config.items() if not key.endswith("_token_id")}
    weight_rows.save(out, others | {"vocab_size": before["vocab_size"]} | ids, weights)
    copy_tokenizer(original, out)
    for name in FILES:  # what the original declares of its sentence vectors
        (out / name).unlink(missing_ok=True)
    copy_sentence_files(model, out)
    complete_sentence_files(out)
    (out / "README.md").write_text(
        cards.card("Restored checkpoint", [f"vocabulary of {original.name} put back"]),
        encoding="utf-8",
    )
    return int(before["vocab_size"]) - len(old)
