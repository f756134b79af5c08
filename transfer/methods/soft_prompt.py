"""Prompt tuning (Lester et al. 2021), through peft: learnt vectors before the words' embeddings.

The model is frozen; the vectors, begun as embeddings of random pieces, and the task head are
trained. A pair's head reads the first of all tokens, which is the first virtual one.
"""

from __future__ import annotations

from typing import Any

from transfer.methods import _peft, _prompts
from transfer.methods._peft import save as save

GIVES = "prompt"


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse tasks of choices."""
    _prompts.check("soft_prompt", format)


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    length: int = 16,
    max_length: int | None = None,
    **options: Any,
) -> Any:
    """Wrap the model; only the prompt and the head require gradients.

    Args:
        length: virtual tokens.
        max_length: of the sequences it is to read, specials included.

    Raises:
        MethodError: a task of choices, or the model has too few positions.
    """
    from peft import PromptTuningConfig, PromptTuningInit, get_peft_model

    check(format, precision)
    _prompts.freeze(model, "soft_prompt", length, max_length)
    config = PromptTuningConfig(
        task_type=_peft.TASKS[format],
        num_virtual_tokens=length,
        prompt_tuning_init=PromptTuningInit.SAMPLE_VOCAB,
    )
    wrapped = get_peft_model(model, config)
    _prompts.real_tokens_alone(wrapped)
    return wrapped
