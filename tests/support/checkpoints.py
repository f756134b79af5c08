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
from small_tokenizer import TOKENIZER
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from evalsuite.runtimes.torch import auto_class

NLI = ("entailment", "neutral", "contradiction")
TURNED = ("contradiction", "entailment", "neutral")
_LETTERS = "abcdefghijklmnopqrstuvwxyz.,?"
_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{c}" for c in _LETTERS))
_OUTPUT = {"pair": "classifier.out_proj", "tagging": "classifier"}


def _random(model: Any, out: Path, dtype: Any = torch.float32) -> Path:
    """Weights so large that outputs spread, saved."""
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.5 if "word_embeddings" in name else 0.25)
    model.to(dtype).save_pretrained(out)
    return out


def named(labels: Sequence[str]) -> dict[str, Any]:
    """The labels, as a config has them."""
    numbers = {label: number for number, label in enumerate(labels)}
    return {"id2label": dict(enumerate(labels)), "label2id": numbers}


def small(
    out: Path,
    head: str | None = "pair",
    labels: Sequence[str] | None = NLI,
    dtype: Any = None,
    layers: int = 2,
    **more: Any,
) -> Path:
    """An XLM-R of width 32 whose outputs spread; labels without names where there are none."""
    config = transformers.XLMRobertaConfig(
        vocab_size=32_000,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=130,
        type_vocab_size=1,
        **({} if labels is None else named(labels)),
        **more,
    )
    _random(auto_class(head).from_config(config), out, dtype or torch.float32)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(TOKENIZER / file, out / file)
    return out


def bert(
    out: Path,
    head: str = "pair",
    tokenizer: str = "BertTokenizer",
    layers: int = 2,
    **more: Any,
) -> Path:
    """A BERT of width 32 with WordPiece and two token types, on which much depends.

    Args:
        tokenizer: class in transformers; `PreTrainedTokenizerFast` gives no token types.
    """
    words = Tokenizer(WordPiece({piece: id for id, piece in enumerate(_PIECES)}, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    out.mkdir(parents=True)
    words.save(str(out / "tokenizer.json"))
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    told = json.dumps({"tokenizer_class": tokenizer, **names})
    (out / "tokenizer_config.json").write_text(told)
    config = transformers.BertConfig(
        vocab_size=len(_PIECES),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=96,
        **named(NLI if head in ("pair", "tagging") else ("0", "1")),
        **more,
    )
    return _random(auto_class(head).from_config(config), out)


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
