"""A model, and the heads that are trained with its own: of several tasks, of masked LM.

>>> joined = Joined(encoder, task_heads(tasks, encoder.config))
>>> joined(ids, mask, part=1).shape     # the second task's logits
torch.Size([8, 7])
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from evalsuite.inference.task_head import head_of_task
from evalsuite.task import Task
from transfer.errors import MethodError
from transfer.loop.types import Objective, Summary, Tensors
from transfer.methods._prompts import has_prefix, prefix_states
from transfer.models.head_alone import HeadAlone, masked_lm_head, task_head, with_encoder
from transfer.objectives.gold import gold_loss
from transfer.objectives.matching import matching_loss
from transfer.objectives.mlm import cross_entropy
from transfer.objectives.robust import Robust, robust
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.objectives.spans import ends_loss


class Joined(nn.Module):
    """An encoder with one head a task, or a whole model of one; with a masked-LM head or without.

    Attributes:
        heads: one per task where `model` is an encoder; none where it has its own.
        lm_head: its output layer is the model's word embeddings, where its class ties them.
    """

    def __init__(
        self, model: Any, heads: Sequence[nn.Module] = (), lm_head: HeadAlone | None = None
    ) -> None:
        super().__init__()
        self.model, self.heads = model, nn.ModuleList(heads)
        self.lm_head: HeadAlone | None = lm_head

    def forward(self, input_ids: Any, attention_mask: Any, part: int) -> Any:
        """Logits of head `part`: `[batch, labels]` or `[batch, tokens, labels]`; `[batch, choices]`
        where the input is `[batch, choices, tokens]`."""
        ids, mask = input_ids, attention_mask
        if ids.dim() == 3:  # of choices
            ids, mask = ids.flatten(0, 1), mask.flatten(0, 1)
        hidden = self.model(input_ids=ids, attention_mask=mask)
        return self.heads[part](hidden.last_hidden_state, input_ids, attention_mask)

    def masked_lm(self, batch: Tensors) -> torch.Tensor:
        """Mean cross-entropy of a batch's masked tokens, through whatever the method wraps."""
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        if self._of_choices():
            inputs = {name: tensor[:, None] for name, tensor in inputs.items()}
        if has_prefix(self.model):
            states = prefix_states(self.model, **inputs)
        else:
            states = self.model(**inputs, output_hidden_states=True).hidden_states
        assert self.lm_head is not None
        return cross_entropy(states[-1], self.lm_head, batch["labels"])

    def _of_choices(self) -> bool:
        inner = getattr(self.model, "get_base_model", lambda: self.model)()  # of peft
        return "MultipleChoice" in type(inner).__name__

    def named_heads(self, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """The heads' tensors under the tasks' names."""
        return {
            f"{names[int(name.split('.')[0])]}.{name.split('.', 1)[1]}": value.contiguous().cpu()
            for name, value in self.heads.state_dict().items()
        }

    def get_input_embeddings(self) -> nn.Module:
        """The model's word embeddings."""
        table: nn.Module = self.model.get_input_embeddings()
        return table

    def activation_checkpointing_enable(self) -> None:
        """Recompute the model's activations instead of keeping them."""
        self.model.activation_checkpointing_enable()

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The trained tensors alone: a quantized base is reloaded, not resumed."""
        return {name: p.data for name, p in self.named_parameters() if p.requires_grad}

    def load_state_dict(self, state: Any, strict: bool = True, assign: bool = False) -> Any:
        """Copy trained tensors back."""
        own = dict(self.named_parameters())
        for name, value in state.items():
            own[name].data.copy_(value)
        return torch.nn.modules.module._IncompatibleKeys([], [])


def labels_loss(model: Any, batch: Tensors) -> torch.Tensor:
    """The loss of a model's own head, as transformers computes it: cross-entropy of one label
    (Devlin et al. 2019, section 4), squared error of a score."""
    result: torch.Tensor = model(**batch).loss
    return result


def joined_loss(model: Joined, batch: Tensors) -> torch.Tensor:
    """Of the head a batch's `part` names; of the model's own where it has no other heads."""
    if not model.heads:
        return labels_loss(model.model, {k: v for k, v in batch.items() if k != "part"})
    logits = model(batch["input_ids"], batch["attention_mask"], batch["part"])
    if "start_positions" in batch:
        return ends_loss(logits, batch)
    return gold_loss(logits, batch["labels"])


def objective(
    single: Task | None, masked: bool, vectors: SentenceVectors, how: Robust
) -> Objective:
    """The loss of a batch of any part.

    Args:
        single: the one task whose own head, or none where it is ranked, the model has.
        masked: whether some batches are of masked LM.
        vectors: how sentences become vectors, where these are trained.
        how: of the tasks' losses alone.
    """
    ranked = single is not None and single.format == "ranking"
    of_task: Objective = labels_loss if single and not masked else joined_loss
    if ranked:
        both_ways = bool(getattr(single, "both_ways", False))
        of_task = partial(matching_loss, vectors=vectors, both_ways=both_ways)
    of_task = robust(of_task, how)
    if not masked:
        return of_task

    def either(model: Joined, batch: Tensors) -> torch.Tensor:
        if "masked" in batch:
            return model.masked_lm(batch)
        return of_task(model.model if ranked else model, batch)

    return either


def task_heads(tasks: Sequence[Task], config: Any) -> list[nn.Module]:
    """New heads, each as transformers' class of the family and format has it."""
    return [
        task_head(config, head_of_task(task) or task.format, len(task.labels)) for task in tasks
    ]


def join(
    model: Any, tasks: Sequence[Task], directory: Path, masked: bool, adapter: bool
) -> tuple[Any, Summary]:
    """The model with what is trained with it, the model alone where that is nothing; facts.

    The masked-LM head of the checkpoint stays as it is when an adapter is trained, so that what the
    adapter learns still fits it; a new one, or one where every weight is trained, is trained too.
    """
    heads = task_heads(tasks, model.config) if tasks else ()
    if not masked:
        return (Joined(model, heads) if heads else model), {}
    head, kept = lm_head(model, directory)
    if kept and adapter:
        head.requires_grad_(False)
    origin = "the checkpoint's own" if kept else "new, tied to the embeddings"
    return Joined(model, heads, head), {"masked LM head": origin}


def lm_head(model: Any, directory: Path) -> tuple[HeadAlone, bool]:
    """The masked-LM head for a model, a method's wrapper or not; True where it is the checkpoint's.

    Raises:
        MethodError: the embeddings are held in bf16 or in codes, which the head cannot multiply by.
    """
    table = getattr(model.get_input_embeddings(), "weight", None)  # none of codes
    if table is None or table.dtype != torch.float32:
        held = "fewer bits" if table is None else str(table.dtype).removeprefix("torch.")
        raise MethodError(
            f"mlm: the output layer is the word embeddings, and these are held in {held}; set "
            "embeddings: fp32"
        )
    inner = getattr(model, "get_base_model", lambda: model)()  # of peft
    return masked_lm_head(inner.base_model, directory)


def save_with_lm_head(encoder: Any, head: HeadAlone, out: Path) -> None:
    """Write an encoder and its masked-LM head as one checkpoint."""
    with_encoder(head, encoder).save_pretrained(out)
