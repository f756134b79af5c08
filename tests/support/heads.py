"""A checkpoint with a head of any format, whose outputs spread."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
import torch

from compress.export.bundle import BundleCard
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import auto_class
from transfer.models.checkpoints import copy_tokenizer


def headed(base: Path, head: str | None, out: Path) -> Path:
    """The tiny base with larger weights and a new head of a format, so that outputs spread."""
    labels = {"pair": TASKS.get("xnli").labels, "tagging": TASKS.get("panx").labels}.get(
        head or "", ("0", "1")
    )
    torch.manual_seed(0)
    model = auto_class(head).from_pretrained(base, id2label=dict(enumerate(labels)))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and "embeddings" not in name:
                weight.mul_(4)
    model.save_pretrained(out)
    copy_tokenizer(base, out)
    return out


def bundle_card(head: str | None, precision: str, runtime: str = "onnxruntime") -> BundleCard:
    """The card of a bundle of two layers with this head."""
    labels = ("O", "B-PER") if head else ()
    sizes = {"layers": 2, "max_length": 62, "parameters": 9, "embedding_parameters": 4}
    return BundleCard(
        runtime=runtime,
        file="model",
        precision=precision,
        head=head,
        labels=labels,
        architecture="xlm-roberta 2x64",
        **sizes,
    )


def run_script(bundle: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a script prints that is run in the folder of a bundle, in this process."""
    monkeypatch.chdir(bundle)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script, "README.md", "exec"), {})
    return printed.getvalue()


def example_of(bundle: Path) -> str:
    """The script in a bundle's README."""
    text = (bundle / "README.md").read_text(encoding="utf-8")
    return text.split("```python\n")[1].split("```")[0]
