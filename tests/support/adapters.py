"""Train an adapter in memory for a few steps, and open one with transformers and peft alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import PeftModel
from quick import options
from safetensors.torch import load_file, save_file

from evalsuite.inference.checkpoint_config import read_config
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Task
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Settings
from transfer.models import checkpoints
from transfer.registry import METHODS
from transfer.supervised.train_tasks import train_tasks

_AUTO = {
    "pair": transformers.AutoModelForSequenceClassification,
    "tagging": transformers.AutoModelForTokenClassification,
    "span": transformers.AutoModelForQuestionAnswering,
    "choice": transformers.AutoModelForMultipleChoice,
    "ranking": transformers.AutoModel,
}


def batch(task: Task, base: Path) -> dict[str, Any]:
    """Five rows of the embedded source, whose lengths differ."""
    rows = load_rows(task, DataSource("embedded"), base, 56, max_examples=5)
    return rows.collate(Batch(0, tuple(range(min(5, len(rows)))), 0))


def inputs(rows: dict[str, Any]) -> dict[str, Any]:
    """What a model reads of a batch."""
    return {name: rows[name] for name in ("input_ids", "attention_mask")}


def trained(base: Path, task: Task, name: str, out: Path, precision: Any, **options: Any) -> Any:
    """A model trained three steps, and saved to `out` by its method."""
    torch.manual_seed(0)
    model, _ = checkpoints.load(base, task, precision)
    chosen = METHODS.get(name)
    model = chosen.prepare(model, task.format, precision, **options).train()
    rows = batch(task, base)
    moved = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(moved, 0.05)
    for _ in range(3):
        model(**rows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    chosen.save(model, out)
    return model.eval()


def plain(base: Path, task: Task, out: Path, precision: Any) -> Any:
    """The saved adapter on the plain base in a precision, opened by transformers and peft."""
    extra = {"num_labels": len(task.labels)} if task.format in ("pair", "tagging") else {}
    torch.manual_seed(1)  # a new head, which the adapter's is to take the place of
    model = _AUTO[task.format].from_pretrained(
        base,
        dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        quantization_config=checkpoints.quantization(precision, read_config(base)),
        **extra,
    )
    if config_of(out).get("use_dora"):
        checkpoints.keep_codes(model)
    return PeftModel.from_pretrained(model, out).eval()


def logits(model: Any, rows: dict[str, Any]) -> torch.Tensor:
    """Its logits, those of a span's ends beside each other."""
    with torch.inference_mode():
        said = model(**inputs(rows))
    if "start_logits" in said:
        return torch.stack((said.start_logits, said.end_logits), -1)
    return torch.as_tensor(said.logits)


def config_of(out: Path) -> dict[str, Any]:
    """A saved adapter's config."""
    return dict(json.loads((out / "adapter_config.json").read_text()))


def resumes_exactly(
    base: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    changes: dict[str, Any] | None = None,
    **chosen: Any,
) -> None:
    """Train four steps at once, and with a kill after the second.

    `changes` are of the training's options, `chosen` the method's.
    """
    import transfer.models.heads

    quick = options(
        method=name,
        max_steps=4,
        method_options=chosen,
        settings=Settings(1e-2, seed=1, compute="fp32", save_every=1e-9),
        **(changes or {}),
    )

    def go(where: str) -> dict[str, torch.Tensor]:
        work, out = folder / where / "work", folder / where / "out"
        train_tasks(base, [TASKS.get("xnli")], DataSource("embedded"), quick, work=work, out=out)
        return load_file(out / "adapter_model.safetensors")

    whole = go("whole")
    loss = transfer.models.heads.labels_loss
    done = 0

    def killed(model: Any, rows: Any) -> torch.Tensor:
        nonlocal done
        done += 1
        if done == 3:
            raise KeyboardInterrupt
        return loss(model, rows)

    monkeypatch.setattr(transfer.models.heads, "labels_loss", killed)
    with pytest.raises(KeyboardInterrupt):
        go("cut")
    monkeypatch.setattr(transfer.models.heads, "labels_loss", loss)
    assert (folder / "cut" / "work" / "checkpoint-2").is_dir()
    resumed = go("cut")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def redrawn(source: Path, out: Path, seed: int, std: float, **config: Any) -> Path:
    """A copy of an adapter, its low-rank tensors drawn anew, its config changed."""
    shutil.copytree(source, out)
    file = out / "adapter_model.safetensors"
    generator = torch.Generator().manual_seed(seed)
    tensors = load_file(file)
    for key, value in sorted(tensors.items()):
        if ".lora_" in key:
            tensors[key] = std * torch.randn(value.shape, generator=generator)
    save_file(tensors, file, metadata={"format": "pt"})
    configure(out, **config)
    return out


def configure(adapter: Path, **changes: Any) -> None:
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
