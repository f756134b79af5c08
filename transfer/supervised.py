"""Train an encoder on one task, or on several at once with one head each.

>>> trained = train(Path("base"), [get("mnli")], source, Options(method="lora", precision="nf4"),
...                 work=work, out=out)
>>> trained.facts["trained parameters %"]
0.61

One task gives a checkpoint (or adapter) with that task's head. Several give the encoder alone,
since the encoder is what goes on to a target task (Phang et al. 2020); their heads are kept
beside it in `heads.safetensors`, for the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers.trainer_utils import set_seed

from evalsuite.task import DataSource, Format, Task
from transfer import augment, cards, checkpoints, methods, mixing
from transfer.augment import Augmentation
from transfer.batches import Batch, plan, steps_for
from transfer.checkpoints import Embeddings, Precision
from transfer.errors import MethodError
from transfer.objectives.matching import matching_loss
from transfer.objectives.spans import ends_loss
from transfer.quantize_aware import Rounding, quantize_aware
from transfer.quantized_embedding import QuantizedEmbedding
from transfer.rows import load_rows
from transfer.train import Fitted, Objective, Progress, Settings, Tensors, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to train and how; `Settings` has the optimizer's part."""

    method: str
    settings: Settings
    batch_size: int
    epochs: float = 1.0
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"
    max_steps: int | None = None
    max_length: int = 128
    max_examples: int | None = None
    languages: tuple[str, ...] = ("en",)
    augmentation: Augmentation = field(default_factory=Augmentation)
    pooling: Literal["mean", "cls"] = "mean"  # of a bi-encoder
    method_options: dict[str, Any] = field(default_factory=dict)
    cap: int | None = None  # of examples counted when tasks are mixed in proportion
    quantize_aware: Rounding | None = None  # what a checkpoint is trained to be exported in


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it."""

    fitted: Fitted
    facts: dict[str, float | int | str]


class MultiTask(nn.Module):
    """One encoder, one head a task; a batch's `part` says whose."""

    def __init__(self, encoder: nn.Module, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, nn.ModuleList(heads)

    def forward(self, input_ids: Any, attention_mask: Any, part: int) -> Any:
        """Logits of head `part`: `[batch, labels]` or `[batch, tokens, labels]`; `[batch, choices]`
        where the input is `[batch, choices, tokens]`."""
        rows, choices = len(input_ids), input_ids.dim() == 3
        if choices:
            input_ids, attention_mask = input_ids.flatten(0, 1), attention_mask.flatten(0, 1)
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.heads[part](hidden.last_hidden_state)
        return logits.view(rows, -1) if choices else logits

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The trained tensors alone: a quantized base is reloaded, not resumed."""
        return {name: p.data for name, p in self.named_parameters() if p.requires_grad}

    def load_state_dict(self, state: Any, strict: bool = True, assign: bool = False) -> Any:
        """Copy trained tensors back."""
        own = dict(self.named_parameters())
        for name, value in state.items():
            own[name].data.copy_(value)
        return torch.nn.modules.module._IncompatibleKeys([], [])


def _loss(model: Any, batch: Tensors) -> torch.Tensor:
    """Cross-entropy of the head's labels (Devlin et al. 2019, section 4)."""
    result: torch.Tensor = model(**batch).loss
    return result


def _multi_loss(model: Any, batch: Tensors) -> torch.Tensor:
    logits = model(batch["input_ids"], batch["attention_mask"], batch["part"])
    if "start_positions" in batch:
        return ends_loss(logits, batch)
    labels = batch["labels"]
    return nn.functional.cross_entropy(logits.flatten(0, -2).float(), labels.flatten())


def train(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Trained:
    """Train the checkpoint in `directory` and write the result to `out`.

    Raises:
        TransferError, EvalsuiteError: something a person can put right.
    """
    for task in tasks:
        if not task.learnable:
            raise MethodError(f"{task.name} has no labels to train on; it is evaluated only")
        if task.format == "ranking" and len(tasks) > 1:
            raise MethodError(f"{task.name} has no head and cannot be one of several tasks")
    tasks = [task.labelled(source) for task in tasks]
    method = methods.get(options.method)
    progress(0.0, "reading rows")
    longest = checkpoints.longest(directory, options.max_length)
    change = augment.prepare(options.augmentation, source, options.settings.seed, progress)
    rows = [
        load_rows(
            task,
            source,
            directory,
            longest,
            languages=options.languages,
            max_examples=options.max_examples,
            change=change,
        )
        for task in tasks
    ]
    set_seed(options.settings.seed)  # new heads start from the seed
    single = tasks[0] if len(tasks) == 1 else None
    base, kept = checkpoints.load(directory, single, options.precision)
    checkpoints.hold_embeddings(base, options.embeddings)
    footprint = checkpoints.memory(base)
    format: Format | None = single.format if single else None
    model = method.prepare(base, format, options.precision, **options.method_options)
    sizes = [len(part) for part in rows]
    steps = steps_for(sum(sizes), options.batch_size, options.epochs, options.max_steps)
    seed = options.settings.seed
    if single:
        batches = plan(rows[0].lengths(), options.batch_size, steps, seed)
        trained, objective = model, _loss
        if single.format == "ranking":
            objective = partial(matching_loss, pooling=options.pooling)
        collate = rows[0].collate
    else:
        weights = mixing.shares(sizes, options.cap)
        batches = mixing.mix([r.lengths() for r in rows], weights, options.batch_size, steps, seed)
        trained, objective = _with_heads(model, tasks, directory), _multi_loss

        def collate(batch: Batch) -> Tensors:
            return {**rows[batch.part].collate(batch), "part": batch.part}

    fitted = fit_model(trained, batches, collate, objective, options, work, progress)
    write(method, model, trained, [task.name for task in tasks], directory, options, out)
    facts = facts_of(fitted, trained, footprint)
    if single:
        facts["head"] = "carried over" if kept else "new"
    return Trained(fitted, facts)


def facts_of(
    fitted: Fitted, model: Any, footprint: dict[str, float]
) -> dict[str, float | int | str]:
    """What a stage tells of a training."""
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = _weights(model)
    return {
        "steps": fitted.steps,
        "examples seen": fitted.examples,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_a_step, 1),
        "trained parameters": count,
        "trained parameters %": round(100 * count / total, 3),
        **{f"base {name}": round(value, 3) for name, value in footprint.items()},
        **checkpoints.length_facts(options.max_length, longest),
    }


def fit_model(
    model: Any,
    batches: Sequence[Batch],
    collate: Any,
    objective: Objective,
    options: Options,
    work: Path,
    progress: Progress,
) -> Fitted:
    """Train, and leave the model ready to be used."""
    model.train()
    with quantize_aware(model, options.quantize_aware):
        fitted = fit(model, batches, collate, objective, options.settings, work, progress)
    model.eval()
    return fitted


def _weights(model: nn.Module) -> int:
    """Weights of a model, those of embeddings held as codes too."""
    tables = [m for m in model.modules() if isinstance(m, QuantizedEmbedding)]
    held = sum(table.num_embeddings * table.embedding_dim for table in tables)
    return held + sum(_elements(p) for p in model.parameters())


def _elements(parameter: Any) -> int:
    """Weights in a parameter; 4-bit ones are stored two a byte."""
    packed = type(parameter).__name__ == "Params4bit" and parameter.dtype == torch.uint8
    return int(parameter.numel()) * (2 if packed else 1)


def _with_heads(encoder: Any, tasks: Sequence[Task], directory: Path) -> MultiTask:
    """New heads, each as transformers builds it for its format."""
    from transformers.models.xlm_roberta import modeling_xlm_roberta as xlm_roberta

    heads: list[nn.Module] = []
    for task in tasks:
        config = type(encoder.config).from_pretrained(directory)
        config.num_labels = len(task.labels)
        if task.format == "pair":
            heads.append(xlm_roberta.XLMRobertaClassificationHead(config))
        elif task.format == "choice":
            dropout = nn.Dropout(config.hidden_dropout_prob)
            score = nn.Linear(config.hidden_size, 1)
            heads.append(nn.Sequential(xlm_roberta.XLMRobertaPooler(config), dropout, score))
        else:
            heads.append(nn.Linear(config.hidden_size, config.num_labels))
    return MultiTask(encoder, heads)


def write(
    method: Any,
    model: Any,
    trained: Any,
    names: Sequence[str],
    directory: Path,
    options: Options,
    out: Path,
) -> None:
    """Write what was trained: weights, tokenizer, heads of several tasks, card.

    Args:
        names: of the tasks; none where parallel text alone was trained on.
    """
    method.save(model, out)
    checkpoints.copy_tokenizer(directory, out)
    if isinstance(trained, MultiTask):
        from safetensors.torch import save_file

        tensors = {
            f"{names[int(name.split('.')[0])]}.{name.split('.', 1)[1]}": value.contiguous().cpu()
            for name, value in trained.heads.state_dict().items()
        }
        save_file(tensors, out / "heads.safetensors")
    if method.GIVES != "checkpoint":
        checkpoints.write_training(
            out,
            base_precision=options.precision,
            embeddings=options.embeddings,
            task=names[0] if len(names) == 1 else None,
            tasks=list(names),
        )
    what = names or ["parallel text"]
    (out / "README.md").write_text(
        cards.trained(what, options.method, options.precision, directory, method.GIVES),
        encoding="utf-8",
    )
