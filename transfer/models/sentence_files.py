"""The files by which sentence-transformers opens an encoder: copied, or written where it has none.

>>> complete_sentence_files(Path("encoder"))
>>> SentenceTransformer("encoder").encode(["It rains."]).shape
(1, 384)

What is written says what `lingopress embed` does of an encoder that declares nothing: the mean over
the tokens of the last layer, cut to length 1.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from evalsuite.inference.checkpoint_config import head_of, max_length_of, model_config
from evalsuite.retrieval.declared_vectors import (
    DIMENSIONS,
    FILES,
    LONGEST,
    MODULES,
    POOLING,
    PROMPTS,
    declared_by,
)
from transfer.objectives.sentence_vectors import SentenceVectors

CONFIG = "config.json"
_WIDTH = "word_embedding_dimension"
_MODULES = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))


def copy_sentence_files(source: Path, target: Path) -> None:
    """Copy what a checkpoint declares of its sentence vectors, if it declares anything.

    A model with a task head is no sentence encoder, whatever its base was: nothing is copied to it.
    """
    if _has_head(source) or _has_head(target):
        return
    for name in FILES:
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def _has_head(directory: Path) -> bool:
    """Whether a directory is of a model with a task head; one without a config is not."""
    return (directory / CONFIG).is_file() and head_of(model_config(directory)) is not None


def complete_sentence_files(directory: Path) -> None:
    """Write the files that an encoder lacks; nothing where there is a head.

    Where there is a `modules.json`, only the width is corrected: copied files have their model's.

    Raises:
        ModelError: the files that are there are damaged, or declare what is not supported.
    """
    config = model_config(directory)
    if head_of(config) is not None:
        return
    if (directory / MODULES).exists():
        _correct_width(directory / POOLING, config["hidden_size"])
        return
    declared = declared_by(directory)
    _write(directory / POOLING, _pooling(config["hidden_size"], declared.pooling))
    if config.get("max_position_embeddings"):
        longest = max_length_of(config)
        _write(directory / LONGEST, {"max_seq_length": min(declared.longest or longest, longest)})
    _write(directory / MODULES, _modules())


def declare_vectors(vectors: SentenceVectors, base: Path, out: Path) -> None:
    """Write how vectors were trained, in place of what was declared before.

    Args:
        vectors: resolved: nothing in it is None.
        base: directory with the `config.json` of the trained model.
        out: a checkpoint, or an adapter, from which `fuse` copies it.
    """
    prompts = {"query": vectors.prefix or "", "document": vectors.passage_prefix or ""}
    prompted = any(prompts.values())
    _write(out / MODULES, _modules())
    _write(out / POOLING, _pooling(model_config(base)["hidden_size"], vectors.pooling or "mean"))
    _write(
        out / PROMPTS,
        {
            "prompts": prompts if prompted else {},
            "default_prompt_name": "query" if prompted else None,
            "similarity_fn_name": "cosine",
            **({DIMENSIONS: list(vectors.dimensions)} if vectors.dimensions else {}),
        },
    )


def _correct_width(path: Path, width: int) -> None:
    """Set the width in the file of a pooling, where it has one of another model."""
    try:
        pooling = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # what is damaged is refused where it is read
        return
    if isinstance(pooling, dict) and pooling.get(_WIDTH, width) != width:
        _write(path, pooling | {_WIDTH: width})


def _modules() -> list[dict[str, Any]]:
    return [
        {
            "idx": number,
            "name": str(number),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for number, (path, kind) in enumerate(_MODULES)
    ]


def _pooling(width: int, pooling: str) -> dict[str, Any]:
    return {
        _WIDTH: width,
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
    }


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
