"""Prompt tuning (Lester et al. 2021), through peft: trained vectors before the word embeddings.

The model is frozen. The vectors, which start as the embeddings of random pieces, and the task head
are trained. The head of a sentence pair reads the first token, which is the first virtual one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalsuite.word_width import word_width
from transfer.methods import _peft, _prompts
from transfer.methods._options import read
from transfer.methods._peft import save as save
from transfer.methods._prompts import Options as Options

if TYPE_CHECKING:
    from evalsuite.machine.model_shape import ModelShape

GIVES = "prompt"


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse multiple-choice tasks."""
    _prompts.check("soft_prompt", format)


def refuse(model_type: str) -> None:
    """Refuse static models."""
    _prompts.refuse_family("soft_prompt", model_type)


def refuse_sizes(config: Any, max_length: int | None = None, **options: Any) -> None:
    """Refuse a model with too few positions."""
    length = read(Options, options).length
    _prompts.refuse_positions("soft_prompt", config, length, max_length)


def trained(shape: ModelShape, **options: Any) -> int:
    """Parameters that are trained, from the model's shape."""
    return read(Options, options).length * (shape.words // shape.vocabulary) + shape.head


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    max_length: int | None = None,
    **options: Any,
) -> Any:
    """Wrap the model; only the prompt and the head require gradients.

    Args:
        max_length: tokens of the longest sequence, special tokens included.
        options: see `Options`.

    Raises:
        MethodError: the task is multiple-choice, the model has too few positions, or it is static.
    """
    from peft import PromptTuningConfig, PromptTuningInit, get_peft_model

    check(format, precision)
    length = read(Options, options).length
    _prompts.freeze(model, "soft_prompt", length, max_length)
    config = PromptTuningConfig(
        task_type=_peft.TASKS[format],
        num_virtual_tokens=length,
        token_dim=word_width(model.config),
        num_attention_heads=model.config.num_attention_heads,
        prompt_tuning_init=PromptTuningInit.SAMPLE_VOCAB,
        modules_to_save=_prompts.saved_heads(model, format),
    )
    wrapped = get_peft_model(model, config)
    _prompts.hide_virtual_tokens(wrapped)
    return wrapped
