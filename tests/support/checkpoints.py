"""Small checkpoints with random weights and a head, as people have them; nothing is trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file

from evalsuite.runtimes.torch import auto_class

MINI = Path(__file__).resolve().parents[2] / "recipes" / "models" / "xlmr-mini"
NLI = ("entailment", "neutral", "contradiction")
TURNED = ("contradiction", "entailment", "neutral")
_OUTPUT = {"pair": "classifier.out_proj", "tagging": "classifier"}


def named(labels: Sequence[str]) -> dict[str, Any]:
    """The labels, as a config has them."""
    numbers = {label: number for number, label in enumerate(labels)}
    return {"id2label": dict(enumerate(labels)), "label2id": numbers}


def small(
    out: Path,
    head: str = "pair",
    labels: Sequence[str] | None = NLI,
    dtype: Any = None,
    **more: Any,
) -> Path:
    """An XLM-R of 2 layers x 32 whose outputs spread; labels without names where there are none."""
    config = transformers.XLMRobertaConfig(
        vocab_size=32_000,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=130,
        type_vocab_size=1,
        **({} if labels is None else named(labels)),
        **more,
    )
    torch.manual_seed(0)
    model = auto_class(head).from_config(config)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.5 if "word_embeddings" in name else 0.25)
    model.to(dtype or torch.float32).save_pretrained(out)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(MINI / file, out / file)
    return out


def turned(source: Path, out: Path, labels: Sequence[str] = TURNED, head: str = "pair") -> Path:
    """The same function with its labels in another order."""
    shutil.copytree(source, out)
    config = json.loads((out / "config.json").read_text())
    own = [config["id2label"][key] for key in sorted(config["id2label"], key=int)]
    (out / "config.json").write_text(json.dumps(config | named(labels)))
    weights = load_file(out / "model.safetensors")
    for part in ("weight", "bias"):
        name = f"{_OUTPUT[head]}.{part}"
        weights[name] = weights[name][[own.index(label) for label in labels]].contiguous()
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    return out


def renamed(source: Path, out: Path, labels: Sequence[str]) -> Path:
    """The same weights with other names of labels."""
    shutil.copytree(source, out)
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config | named(labels)))
    return out
