"""A small random model of every family, built by transformers' own classes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch

SHAPES: dict[str, dict[str, Any]] = {
    "bert": {},
    "deberta-v2": {
        "relative_attention": True, "position_buckets": 4, "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True, "norm_rel_ebd": "layer_norm", "position_biased_input": False,
    },
    "distilbert": {"n_layers": 3, "dim": 32, "n_heads": 4, "hidden_dim": 48},
    "electra": {"embedding_size": 24},
    "modernbert": {"local_attention": 8, "pad_token_id": 1, "cls_token_id": 2, "sep_token_id": 3},
    "roberta": {},
    "xlm-roberta": {},
    "xlm-roberta-xl": {},
}  # fmt: skip
BERT_SHAPE = {
    "num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48,
}  # fmt: skip
FAMILIES = sorted(SHAPES)
# And models of some families that have other modules.
MODELS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in FAMILIES),
    ("deberta-v2", {"share_att_key": False, "conv_kernel_size": 3, "embedding_size": 24}),
    ("electra", {"embedding_size": 32}),
    ("deberta-v2", {"relative_attention": False, "position_biased_input": True}),
    ("modernbert", {"attention_bias": True, "mlp_bias": True, "norm_bias": True}),
]
LENGTH = 40  # positions


def tiny_config(name: str, **changed: Any) -> Any:
    """3 layers, 32 wide, 4 heads, 48 units, unless changed."""
    from transformers import AutoConfig

    shape = {} if name == "distilbert" else BERT_SHAPE
    common = {"vocab_size": 60, "max_position_embeddings": LENGTH, "initializer_range": 0.2}
    return AutoConfig.for_model(name, **common | shape | SHAPES[name] | changed)


def tiny_model(name: str, head: str | None = "pair", **changed: Any) -> Any:
    """In eval mode, always with the same weights; its biases and norms are random too."""
    from evalsuite.runtimes.torch import auto_class

    config = tiny_config(name, num_labels=3 if head == "pair" else 2, **changed)
    torch.manual_seed(0)
    model = auto_class(head).from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    return model


@cache
def tiny_checkpoint(name: str, head: str | None = "pair") -> Path:
    """The same, saved by `save_pretrained`; not to be changed."""
    kept = tempfile.mkdtemp(prefix="families-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    folder = Path(kept) / name
    tiny_model(name, head).save_pretrained(folder)
    return folder


def tiny_inputs() -> dict[str, torch.Tensor]:
    """Three sequences, the second shorter."""
    ids = torch.randint(5, 60, (3, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}
