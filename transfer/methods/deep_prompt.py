"""Prefix tuning (Li & Liang 2021), for encoders P-tuning v2 (Liu et al. 2022), through peft.

The model is frozen. Keys and values of 16 to 32 virtual tokens are trained at every layer: 0.1% to
0.3% of the parameters, with which Tu et al. (2022, arXiv:2210.12360) found better transfer from
English than with fine-tuning. The positions of real tokens begin after the prefix.

NOT IMPLEMENTED: the reparameterization of Li & Liang. It trains fifty times as many parameters (5%
of XLM-R base), and peft saves only its output, from which a killed training could not resume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transfer.errors import MethodError
from transfer.methods import _peft, _prompts
from transfer.methods._options import read
from transfer.methods._peft import save as save
from transfer.methods._prompts import Options as Options

if TYPE_CHECKING:
    from evalsuite.machine.model_shape import ModelShape

GIVES = "prompt"


def check(
    format: str | None, precision: str, *, gradient_checkpointing: bool = False, **options: Any
) -> None:
    """Refuse multiple-choice tasks, and gradient checkpointing."""
    _prompts.check("deep_prompt", format)
    if gradient_checkpointing:
        raise MethodError(
            "gradient_checkpointing: in layers that it computes twice, transformers does not use "
            "cached keys and values, which are the prefix; set it to false, because a prefix needs "
            "little memory"
        )


def refuse(model_type: str) -> None:
    """Refuse families that take no keys and values before those of the text."""
    _prompts.refuse_family("deep_prompt", model_type)


def refuse_sizes(config: Any, max_length: int | None = None, **options: Any) -> None:
    """Refuse a model with too few positions."""
    length = read(Options, options).length
    _prompts.refuse_positions("deep_prompt", config, length, max_length)


def trained(shape: ModelShape, **options: Any) -> int:
    """Parameters that are trained, from the model's shape."""
    return read(Options, options).length * shape.layers * 2 * shape.width + shape.head


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    max_length: int | None = None,
    gradient_checkpointing: bool = False,
    **options: Any,
) -> Any:
    """Wrap the model; only the prefixes and the head require gradients.

    Args:
        max_length: tokens of the longest sequence, special tokens included.
        options: see `Options`.

    Raises:
        MethodError: the task is multiple-choice, gradient checkpointing is on, the model has too
            few positions, or its family takes no keys and values before those of the text.
    """
    from peft import PrefixTuningConfig, get_peft_model

    check(format, precision, gradient_checkpointing=gradient_checkpointing)
    length = read(Options, options).length
    _prompts.freeze(model, "deep_prompt", length, max_length)
    config = PrefixTuningConfig(
        task_type=_peft.TASKS[format],
        num_virtual_tokens=length,
        modules_to_save=_prompts.saved_heads(model, format),
    )
    return get_peft_model(model, config)
