"""What `config.json` of a checkpoint or bundle says about the model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from evalsuite.errors import ModelError
from evalsuite.find_family import longest_of
from evalsuite.opening.validated import ConfigFile, read_json
from evalsuite.registry import FORMATS
from evalsuite.static.register import register_if_static

FIRST_TOKEN = "first-token"  # `last_layer` in the config, where that layer computes `<s>` alone
Answers = Literal["label", "labels", "score"]
_SIZES = (
    *("hidden_size", "intermediate_size", "max_position_embeddings", "num_attention_heads"),
    *("num_hidden_layers", "pad_token_id", "type_vocab_size", "vocab_size"),
)


def read_config(directory: Path) -> dict[str, Any]:
    """`config.json` as a mapping.

    Raises:
        ModelError: absent, not JSON, or with entries of another type than they have.
    """
    try:
        return read_json(directory / "config.json", ConfigFile, "copy the checkpoint again")
    except FileNotFoundError:
        raise ModelError(f"{directory} has no config.json, so it is not a checkpoint") from None


def model_config(directory: Path) -> dict[str, Any]:
    """`config.json` as transformers reads it: with standard names of a model's sizes (DistilBERT
    writes `n_layers`), the names of labels (`LABEL_0`, `LABEL_1` where none are written), and
    defaults that are left out. A bundle of a graph has them all in its file, and no weights that
    transformers opens.

    Raises:
        ModelError: absent, not JSON, or no config of its model type.
    """
    config = read_config(directory)
    return completed(config, directory) if any(directory.glob("model*.safetensors")) else config


def completed(config: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The same, with what transformers' class of the model type adds; no code but its own runs.

    Raises:
        ModelError: the class refuses it.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    register_if_static(config)
    kind = config.get("model_type")
    if kind not in CONFIG_MAPPING:
        return config
    try:
        known = CONFIG_MAPPING[kind].from_dict(dict(config))
    except Exception as error:  # of any kind: most values go unchecked into it
        raise ModelError(f"{directory}: config.json is none of {kind}: {error}") from error
    found = {name: getattr(known, name, None) for name in _SIZES}
    found["intermediate_size"] = found["intermediate_size"] or getattr(known, "hidden_dim", None)
    if head_of(config):
        found |= {"id2label": dict(known.id2label), "problem_type": known.problem_type}
    return config | {name: value for name, value in found.items() if value is not None}


def max_length_of(config: dict[str, Any]) -> int:
    """Tokens of the longest sequence a model takes.

    >>> max_length_of({"model_type": "xlm-roberta", "max_position_embeddings": 514})
    512

    Raises:
        ModelError: the config does not say.
    """
    if config.get("max_position_embeddings") is None:
        raise ModelError(
            "config.json has no max_position_embeddings, the positions of the model; copy the "
            "checkpoint again"
        )
    known = {"model_type": None, "pad_token_id": 1} | config
    return longest_of(SimpleNamespace(**known))


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Label set in id order, from `id2label`; of a model of spans, its two ends, of one of choices
    its one score."""
    head = head_of(config)
    fixed: tuple[str, ...] = FORMATS.get(head).FIXED_LABELS if head else ()
    if fixed:
        return fixed
    table = config.get("id2label") or {}
    return tuple(table[key] for key in sorted(table, key=int))


def answers_of(config: dict[str, Any]) -> Answers:
    """What the head gives per row: `label`, one of the labels; `labels`, any of them, each by
    itself; `score`, a number for each label, as a reranker or a regressor does.

    >>> answers_of({"architectures": ["BertForSequenceClassification"], "id2label": {"0": "score"}})
    'score'
    """
    if head_of(config) != "pair":
        return "label"
    problem = config.get("problem_type")
    if problem == "multi_label_classification":
        return "labels"
    return "score" if problem == "regression" or len(labels_of(config)) == 1 else "label"


def head_of(config: dict[str, Any]) -> str | None:
    """Name of the format whose head the architecture in the config has; None for an encoder.

    >>> head_of({"architectures": ["XLMRobertaForTokenClassification"]})
    'tagging'
    """
    architecture = " ".join(config.get("architectures") or ())
    for name in FORMATS.names():
        suffix = FORMATS.get(name).ARCHITECTURE
        if suffix and suffix in architecture:
            return name
    return None
