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
from evalsuite.retrieval.sentence_embedder import FILES, LONGEST, MODULES, POOLING, declared_by

_MODULES = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))


def copy_sentence_files(source: Path, target: Path) -> None:
    """Copy what a checkpoint declares of its sentence vectors, if it declares anything."""
    for name in FILES:
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def complete_sentence_files(directory: Path) -> None:
    """Write the files that an encoder lacks; nothing where there is a `modules.json`, or a head.

    Raises:
        ModelError: the files that are there are damaged, or declare what is not supported.
    """
    config = model_config(directory)
    if head_of(config) is not None or (directory / MODULES).exists():
        return
    declared = declared_by(directory)
    modules = [
        {
            "idx": number,
            "name": str(number),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for number, (path, kind) in enumerate(_MODULES)
    ]
    pooling = {
        "word_embedding_dimension": config["hidden_size"],
        "pooling_mode_cls_token": declared.pooling == "cls",
        "pooling_mode_mean_tokens": declared.pooling == "mean",
    }
    _write(directory / POOLING, pooling)
    if config.get("max_position_embeddings"):
        longest = max_length_of(config)
        _write(directory / LONGEST, {"max_seq_length": min(declared.longest or longest, longest)})
    _write(directory / MODULES, modules)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
