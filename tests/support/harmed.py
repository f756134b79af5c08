"""A small checkpoint of two layers, and what goes wrong with checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Weights = dict[str, torch.Tensor]


def write_small(out: Path, kind: str = "ForSequenceClassification", **config: Any) -> Path:
    """A random XLM-R of 2 layers x 8 and 40 pieces, with a head of three labels."""
    import transformers
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.processors import TemplateProcessing

    labels = ("entailment", "neutral", "contradiction")
    torch.manual_seed(0)
    of = getattr(transformers, f"XLMRoberta{kind}")
    sizes = {
        "vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 12, "max_position_embeddings": 34, "type_vocab_size": 1,
        "id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)},
    }  # fmt: skip
    model = of(transformers.XLMRobertaConfig(**(sizes | config)))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    model.save_pretrained(out)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *(chr(97 + i) for i in range(26)), "▁"]
    tokenizer = Tokenizer(Unigram([(piece, -1.0) for piece in pieces], 3))
    tokenizer.add_special_tokens(pieces[:5])
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.save(str(out / "tokenizer.json"))
    return out


def change_weights(directory: Path, change: Callable[[Weights], object]) -> None:
    """Write the weights again after a change in place."""
    path = directory / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def change_json(path: Path, change: Callable[[Any], object]) -> None:
    """Write a JSON file again after a change in place."""
    tree = json.loads(path.read_text(encoding="utf-8"))
    change(tree)
    path.write_text(json.dumps(tree), encoding="utf-8")
