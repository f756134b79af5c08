"""The tokenizer of a local checkpoint: the text of its file, or as transformers reads it.

Most of this project reads `tokenizer.json` itself (`evalsuite.tokenization`). Older checkpoints
have a SentencePiece model or another file alone; transformers makes a `tokenizer.json` of these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.opening.parsed import parsed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"
SENTENCEPIECE = ("sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model")
_KINDS = {1: "Unigram", 2: "BPE"}  # numbers in a SentencePiece model
OLDER = (*SENTENCEPIECE, "vocab.txt", "vocab.json")

# Parts of a tokenizer.json that say how text is split.
_SPLITTING = ("model", "normalizer", "pre_tokenizer", "post_processor", "added_tokens")
_DECIMALS = 6  # of a score

Stamps = tuple[tuple[str, int], ...]


def has_tokenizer(directory: Path) -> bool:
    """Whether there is a file of a tokenizer."""
    return any((directory / name).is_file() for name in (TOKENIZER, *OLDER))


def tokenizer_json(directory: Path) -> str:
    """What `tokenizer.json` holds; where there is none, what it would hold.

    Raises:
        ModelError: there is no tokenizer, or it cannot be read.
    """
    path = directory / TOKENIZER
    try:
        if path.is_file():
            return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not has_tokenizer(directory):
        raise ModelError(
            f"{directory} has no tokenizer.json; copy it from where the checkpoint is, or the file "
            f"of an older tokenizer: {', '.join(OLDER)}"
        )
    return _converted(directory, stamps(directory))


def stamps(directory: Path) -> Stamps:
    """When the files that a tokenizer may be read from changed last."""
    kinds = (".json", ".model", ".txt")
    files = sorted(p for p in directory.iterdir() if p.suffix in kinds and p.is_file())
    return tuple((path.name, path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=2)
def _converted(directory: Path, stamps: Stamps) -> str:
    """Of older files; `stamps` make a changed file a new one."""
    backend = tokenizer_of(directory).backend_tokenizer
    for name in SENTENCEPIECE:
        if (directory / name).is_file():
            _normalize_as_trained(backend, directory / name)
    backend.no_padding()
    backend.no_truncation()
    text: str = backend.to_str()
    return text


def _normalize_as_trained(backend: Any, path: Path) -> None:
    """Have text normalized by the rules in a SentencePiece model.

    Some classes of transformers (5.23) have rules of their class in their place, such as
    mDeBERTa's.

    Raises:
        ModelError: transformers takes the model for one of another kind.
    """
    from tokenizers import normalizers
    from transformers.convert_slow_tokenizer import SentencePieceExtractor

    model = SentencePieceExtractor(str(path)).proto
    kind, taken = _KINDS.get(model.trainer_spec.model_type), type(backend.model).__name__
    if kind != taken:
        raise ModelError(
            f"{path} holds a {kind or 'word'} model, and transformers reads it as {taken} for the "
            "model type in config.json; use the tokenizer.json that the model was trained with"
        )
    rules = model.normalizer_spec.precompiled_charsmap
    if not rules or "Precompiled" in json.dumps(json.loads(backend.to_str())["normalizer"]):
        return
    own = [] if backend.normalizer is None else [backend.normalizer]
    backend.normalizer = normalizers.Sequence(
        [normalizers.Strip(), normalizers.Precompiled(rules), *own]
    )


def tokenizer_of(directory: Path) -> Any:
    """`AutoTokenizer.from_pretrained`, without code of the checkpoint.

    Raises:
        ModelError: transformers cannot read it.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # of any kind: little of the files is checked
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"the tokenizer of {directory} does not open: {reason}") from error


@lru_cache(maxsize=16)
def _digest_of_files(directory: Path, stamps: Stamps, digest: Callable[[str], str]) -> str:
    return digest(tokenizer_json(directory))


def same_tokenizer(one: Path, other: Path) -> bool:
    """Whether the tokenizers of two directories have one `tokenizer_digest`.

    Raises:
        ModelError: there is no tokenizer, or it cannot be read.
    """
    return _same(one, other, tokenizer_digest)


def same_ids(one: Path, other: Path) -> bool:
    """Whether the tokenizers of two directories give ordinary text the same ids.

    As `same_tokenizer`, but how they find special tokens in a text does not count, nor those that
    only one of them has, nor how they write the rule that puts special tokens around a text.
    """
    return _same(one, other, _ids_digest)


def _same(one: Path, other: Path, digest: Callable[[str], str]) -> bool:
    """Parsing is slow, so it is for files that differ."""
    if tokenizer_json(one) == tokenizer_json(other):
        return True
    first, second = (_digest_of_files(path, stamps(path), digest) for path in (one, other))
    return first == second


def tokenizer_digest(text: str) -> str:
    """Of a `tokenizer.json`: the same for all that split text into the same pieces.

    How the file is laid out does not count, nor how it pads and cuts, nor whether keys with
    defaults are in it. Of text that is no tokenizer it is the digest of the text.
    """
    return _digest(text, lambda tokenizer, read: {name: read[name] for name in _SPLITTING})


def _ids_digest(text: str) -> str:
    """Of a `tokenizer.json`: the same for all that give ordinary text the same ids."""
    return _digest(text, _of_ids)


def _of_ids(tokenizer: Tokenizer, read: dict[str, Any]) -> dict[str, Any]:
    """What decides the ids of text; of special tokens, those that are put around it."""
    around = [tokenizer.encode(*texts) for texts in (("a",), ("a", "b"))]
    return {
        **{name: read[name] for name in ("model", "normalizer", "pre_tokenizer")},
        "added_tokens": [token for token in read["added_tokens"] if not token["special"]],
        "around": [(encoded.ids, encoded.type_ids) for encoded in around],
    }


def _digest(text: str, parts_of: Callable[[Tokenizer, dict[str, Any]], dict[str, Any]]) -> str:
    """Of parts of a `tokenizer.json`; of text that is none, of the text."""
    try:
        tokenizer = parsed(text)
        parts = parts_of(tokenizer, json.loads(tokenizer.to_str()))
    except Exception:  # of any kind: whatever opens it refuses it with the reason
        return hashlib.sha256(text.encode()).hexdigest()
    if parts["model"]["type"] == "Unigram":  # a score that is read and written may change by 1e-15
        vocab = parts["model"]["vocab"]
        parts["model"]["vocab"] = [(piece, round(score, _DECIMALS)) for piece, score in vocab]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
