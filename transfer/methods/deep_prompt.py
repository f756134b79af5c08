"""Prefix tuning (Li & Liang 2021), for encoders P-tuning v2 (Liu et al. 2022), through peft.

Keys and values of virtual tokens are learnt at every layer, 16 to 32 of them, the model frozen:
0.1% to 0.3% of its parameters, with which Tu et al. (2022, arXiv:2210.12360) found better transfer
from English than with fine-tuning. Positions of real tokens begin after the prefix. Without the
reparameterization of Li & Liang: it trains fifty times as many (5% of XLM-R base), and peft saves
what comes out of it, from which a killed training could not go on.
"""

from __future__ import annotations

from typing import Any

from transfer.errors import MethodError
from transfer.methods import _peft, _prompts
from transfer.methods._peft import save as save

GIVES = "prompt"


def check(
    format: str | None, precision: str, *, gradient_checkpointing: bool = False, **options: Any
) -> None:
    """Refuse tasks of choices, and what would leave the prefix out."""
    _prompts.check("deep_prompt", format)
    if gradient_checkpointing:
        raise MethodError(
            "gradient_checkpointing: transformers leaves cached keys and values out of layers it "
            "computes twice, and with them the prefix; leave it out, a prefix needs little memory"
        )


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    length: int = 16,
    max_length: int | None = None,
    gradient_checkpointing: bool = False,
    **options: Any,
) -> Any:
    """Wrap the model; only the prefixes and the head require gradients.

    Args:
        length: virtual tokens.
        max_length: of the sequences it is to read, specials included.

    Raises:
        MethodError: a task of choices, gradient checkpointing, or too few positions.
    """
    from peft import PrefixTuningConfig, get_peft_model

    check(format, precision, gradient_checkpointing=gradient_checkpointing)
    _prompts.freeze(model, "deep_prompt", length, max_length)
    config = PrefixTuningConfig(task_type=_peft.TASKS[format], num_virtual_tokens=length)
    return get_peft_model(model, config)
