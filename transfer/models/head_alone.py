"""The head of a model without its encoder, as transformers' class of the family computes it.

>>> head = task_head(config, "pair", labels=3)
>>> head(states, ids, mask).shape    # states: the last layer's, [batch, tokens, width]
torch.Size([8, 3])

The class runs its own `forward`, and a stand-in for its encoder gives it the states. So what a head
reads (the first token, a pooler's output, a mean) is not written a second time here.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForMaskedLM
from transformers.modeling_outputs import BaseModelOutputWithPooling

from evalsuite.find_family import family_of, named
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.opening import weight_files
from evalsuite.opening.pretrained import config_of, from_config, from_pretrained
from evalsuite.runtimes.torch import auto_class, logits_of


class _Given(nn.Module):
    """In the place of an encoder: answers with the states it is handed."""

    def __init__(self, pooler: nn.Module | None, embeddings: nn.Module | None) -> None:
        super().__init__()
        self.pooler = pooler
        self.states: Any = None
        # DeBERTa's masked-LM head looks for the word embeddings in the encoder. They are no part of
        # the head, so they are not counted among its modules.
        self.__dict__["embeddings"] = embeddings

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        pooled = None if self.pooler is None else self.pooler(self.states)
        return BaseModelOutputWithPooling(last_hidden_state=self.states, pooler_output=pooled)


class HeadAlone(nn.Module):
    """All of a model but its encoder; a pooler in the encoder belongs to the head.

    Args:
        model: of transformers, with a head.
        encoder: whose states the head is given; default: the model's.

    Attributes:
        whole: the model; its parts outside the encoder are shared with it.
    """

    def __init__(self, model: Any, encoder: Any = None) -> None:
        super().__init__()
        own = model.base_model
        embeddings = getattr(own if encoder is None else encoder, "embeddings", None)
        given = _Given(getattr(own, "pooler", None), embeddings)
        self.whole = copy.copy(model)
        self.whole.__dict__.pop("forward", None)  # accelerate's, which is bound to the model itself
        self.whole._modules = {**model._modules, model.base_model_prefix: given}

    def forward(self, states: Any, input_ids: Any = None, attention_mask: Any = None) -> Any:
        """Logits: `[batch, labels]`, `[batch, tokens, labels]` or `[batch, choices]`.

        Args:
            states: of the last layer, `[batch, tokens, width]`.
            input_ids: `[batch, choices, tokens]` where the head scores choices.
        """
        given: Any = self.whole.base_model
        given.states = states
        try:
            return logits_of(self.whole(input_ids=input_ids, attention_mask=attention_mask))
        finally:
            given.states = None

    def parts(self) -> list[nn.Module]:
        """Modules of the head, a pooler in the encoder last."""
        given = self.whole.base_model
        inside = set(map(id, given.modules()))
        return [*(m for m in self.whole.modules() if id(m) not in inside), *given.modules()]


def task_head(config: Any, format: str, labels: int) -> HeadAlone:
    """A new head for an encoder of this config, with torch's own random weights."""
    config = _one_layer(config)
    config.num_labels = labels
    with torch.device("meta"):
        head = HeadAlone(from_config(auto_class(format), config))
    _make(head, {})
    if format in ("tagging", "span"):  # the states have been through their layer's dropout
        for module in head.parts():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    return head


def masked_lm_head(encoder: Any, directory: Path) -> tuple[HeadAlone, bool]:
    """The checkpoint's masked-LM head, or a new one; True where it is the checkpoint's.

    Its output layer is tied to the encoder's word embeddings where its class ties it.

    Args:
        encoder: of transformers, in fp32.
    """
    family = family_of(encoder.config)
    config = family.masked_lm_config(encoder.config, weight_files.shapes(directory))
    with torch.device("meta"):
        whole = from_config(AutoModelForMaskedLM, _one_layer(config))
    table = encoder.get_input_embeddings().weight
    tied = {id(whole.get_input_embeddings().weight): table}
    head = HeadAlone(whole, encoder)
    _make(head, tied)
    own = {
        name.removeprefix("whole."): parameter
        for name, parameter in head.named_parameters()
        if parameter is not table
    }
    found = _stored(directory, own)
    kept = own.keys() == found.keys()
    if kept:
        for name, tensor in found.items():
            own[name].data.copy_(tensor)
    else:
        _begin(own, encoder.config.initializer_range)
    return head, kept


def has_masked_lm_head(directory: Path) -> bool:
    """Whether a checkpoint has the output layer of masked LM, or its bias where it is tied."""
    family = named(str(read_config(directory).get("model_type")))
    _, *outputs = family.vocabulary
    return any(name.endswith(tuple(outputs)) for name in weight_files.shapes(directory))


def open_masked_lm(directory: Path) -> Any:
    """Encoder and masked-LM head of a checkpoint, in fp32; the head is new where it has none."""
    config = config_of(directory)
    config = family_of(config).masked_lm_config(config, weight_files.shapes(directory))
    return from_pretrained(
        AutoModelForMaskedLM,
        directory,
        new_head=not has_masked_lm_head(directory),
        config=config,
        dtype=torch.float32,
    )


def with_encoder(head: HeadAlone, encoder: Any) -> Any:
    """Encoder and masked-LM head as one model of transformers."""
    family = family_of(encoder.config)
    stored = (f"{name}." for name, _ in head.whole.named_children())
    with torch.device("meta"):
        whole = from_config(AutoModelForMaskedLM, family.masked_lm_config(encoder.config, stored))
    if getattr(whole.base_model, "pooler", None) is None and hasattr(encoder, "pooler"):
        encoder.pooler = None
    for name, module in head.whole.named_children():
        setattr(whole, name, encoder if name == whole.base_model_prefix else module)
    return whole


def _one_layer(config: Any) -> Any:
    return family_of(config).with_layers(config, [0])


def _make(head: HeadAlone, known: dict[int, nn.Parameter]) -> None:
    """Put parameters in the place of those that have no storage yet; what was tied stays tied.

    Args:
        known: id of a parameter without storage -> what it is tied to.
    """
    for module in head.parts():
        empty = {
            name: value for name, value in module.named_parameters(recurse=False) if value.is_meta
        }
        begin = getattr(module, "reset_parameters", None)
        anew = begin is not None and not any(id(value) in known for value in empty.values())
        for name, value in empty.items():
            if id(value) not in known:
                known[id(value)] = nn.Parameter(torch.zeros(value.shape, dtype=torch.float32))
            setattr(module, name, known[id(value)])
        if empty and anew and begin is not None:
            begin()


def _stored(directory: Path, wanted: dict[str, nn.Parameter]) -> dict[str, torch.Tensor]:
    """Of a checkpoint's tensors those of these names and shapes."""
    found = {}
    for path in sorted(directory.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            for name in wanted.keys() & set(file.keys()):
                if tuple(file.get_slice(name).get_shape()) == tuple(wanted[name].shape):
                    found[name] = file.get_tensor(name).float()
    return found


def _begin(parameters: dict[str, nn.Parameter], std: float) -> None:
    """Weights as transformers begins a head's; norms stay as they are."""
    for name, parameter in parameters.items():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=std)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
