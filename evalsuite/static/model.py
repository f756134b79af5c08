"""Static models as transformers' classes: the encoder, and a head for one label per row.

>>> register()
>>> model = AutoModel.from_config(StaticConfig(vocab_size=30_000, hidden_size=256))
>>> model(input_ids=ids, attention_mask=mask).last_hidden_state.shape   # a vector per piece
torch.Size([8, 31, 256])

The encoder gives each token the vector of its piece, whatever stands next to it. What pools hidden
states pools these.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput

from evalsuite.static import config
from evalsuite.static.config import StaticConfig
from evalsuite.static.kind import FEATURES
from evalsuite.static.pooling import features, mean, text_masks

_TABLE = "word_embeddings"


class _Pretrained(PreTrainedModel):  # type: ignore[misc]
    config_class = StaticConfig
    base_model_prefix = "static"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


class StaticModel(_Pretrained):
    """A table of vectors, one per piece."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        table = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embeddings = nn.ModuleDict({_TABLE: table})  # named as in other encoders
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table."""
        return self.embeddings[_TABLE]

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Another table."""
        self.embeddings[_TABLE] = value

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        **ignored: Any,
    ) -> BaseModelOutput:
        """The vectors of a batch, `[batch, tokens, width]`; they are hidden state 0, the last."""
        states = self.embeddings[_TABLE](input_ids)
        wanted = output_hidden_states or self.config.output_hidden_states
        return BaseModelOutput(states, (states,) if wanted else None)


class StaticForSequenceClassification(_Pretrained):
    """A linear layer over the means of one text or two."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.static = StaticModel(config)
        self.classifier = nn.Linear(FEATURES * config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        **ignored: Any,
    ) -> SequenceClassifierOutput:
        """Logits `[batch, labels]`, and the loss where there are gold labels."""
        found = self.static(input_ids, output_hidden_states=output_hidden_states)
        states = found.last_hidden_state
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        first, second = text_masks(input_ids, mask, self.config.sep_token_id)
        logits = self.classifier(features(mean(states, first), mean(states, second)))
        loss = None
        if labels is not None:
            loss = self.loss_function(labels=labels, pooled_logits=logits, config=self.config)
        return SequenceClassifierOutput(loss, logits, found.hidden_states)


@cache
def register() -> None:
    """Make the classes known to transformers."""
    config.register()
    AutoModel.register(StaticConfig, StaticModel)
    AutoModelForSequenceClassification.register(StaticConfig, StaticForSequenceClassification)
