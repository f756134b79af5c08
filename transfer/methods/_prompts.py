"""What both prompt methods share: peft puts virtual tokens before a frozen model's real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalsuite.find_family import find, find_type, longest_of
from evalsuite.inference.token_types import separator_read
from evalsuite.static.kind import MODEL_TYPE
from transfer.errors import MethodError
from transfer.methods._options import option
from transfer.methods._peft import TASKS, heads

_SHORTEST = 8  # tokens of a text that say something


@dataclass(frozen=True, slots=True)
class Options:
    """Size of a prompt."""

    length: int = option(16, "Number of virtual tokens of a soft or deep prompt.", ge=1)


def check(method: str, format: str | None) -> None:
    """Raise MethodError for a format that peft has no prompts for."""
    if format == "choice":
        raise MethodError(
            f"method: {method}: peft has no prompts for multiple-choice tasks; use method: lora"
        )


def refuse_family(method: str, model_type: str) -> None:
    """Raise MethodError for a family whose models do not read such a prompt.

    >>> refuse_family("deep_prompt", "modernbert")
    MethodError: method: deep_prompt: a modernbert takes no keys and values before those of the ...
    """
    if model_type == MODEL_TYPE:
        raise MethodError(
            f"method: {method}: a static model has no layers that read a prompt; use method: full"
        )
    family = find_type(model_type)
    if method == "deep_prompt" and family is not None and not family.prefixes:
        raise MethodError(
            f"method: {method}: a {model_type} takes no keys and values before those of the text; "
            "use method: soft_prompt or lora"
        )


def refuse_positions(method: str, config: Any, length: int, max_length: int | None) -> None:
    """Refuse a model with fewer positions than the prompt and the longest sequence need.

    Args:
        config: the model's.
        length: virtual tokens.
        max_length: tokens of the longest sequence, special tokens included; None if not known.

    Raises:
        MethodError: it has fewer.
    """
    positions = longest_of(config)
    if max_length is not None and length + max_length > positions:
        room = positions - length
        less = f"max_length: {room}" if room >= _SHORTEST else f"length: {positions - max_length}"
        raise MethodError(
            f"method: {method}: {length} virtual tokens and max_length: {max_length} need more "
            f"than the model's {positions} positions; set {less} or less"
        )


def freeze(model: Any, method: str, length: int, max_length: int | None) -> None:
    """Freeze the model.

    Args:
        length, max_length: as in `refuse_positions`.

    Raises:
        MethodError: the model has too few positions, or reads token types; its family does not read
            such a prompt.
    """
    refuse_family(method, str(model.config.model_type))
    if method == "soft_prompt" and separator_read(model) is not None:
        raise MethodError(
            f"method: {method}: {type(model).__name__} reads token types, which a prompt in place "
            "of token ids does not have; use method: deep_prompt or lora"
        )
    refuse_positions(method, model.config, length, max_length)
    model.requires_grad_(False)


def saved_heads(model: Any, format: str | None) -> list[str] | None:
    """Modules of the head that are trained and saved whole; None where peft knows them all."""
    family = find(model)
    return None if family is None else heads(family, model, format)


def has_prefix(model: Any) -> bool:
    """Whether a model is peft's, with trained keys and values before those of the text."""
    config = getattr(model, "active_peft_config", None)
    return getattr(config, "peft_type", None) == "PREFIX_TUNING"


def prefix_states(model: Any, input_ids: Any, attention_mask: Any) -> Any:
    """Hidden states of each layer under a prefix: a tuple of `[batch, tokens, width]`.

    peft (0.21) takes them for the pooled output of a pair's model when they are asked for.
    """
    import torch

    rows = len(attention_mask)
    ones = attention_mask.new_ones(rows, model.active_peft_config.num_virtual_tokens)
    found = model.get_base_model().base_model(
        input_ids=input_ids,
        attention_mask=torch.cat((ones, attention_mask), 1),
        past_key_values=model.get_prompt(rows),
        output_hidden_states=True,
    )
    return found.hidden_states


def hide_virtual_tokens(model: Any) -> None:
    """Have a soft prompt's model read labels and return outputs for the real tokens only.

    peft puts virtual tokens before the real ones and returns outputs for all of them, while labels
    of tokens and answer positions count real tokens. Hooks shift these and cut the outputs; labels
    of rows stay as they are. The saved prompt has no hooks.
    """
    config = model.active_peft_config
    count = config.num_virtual_tokens
    of_tokens = config.task_type == TASKS["tagging"]

    def take(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from torch import nn

        labels = kwargs.get("labels")
        if labels is not None and of_tokens:
            kwargs["labels"] = nn.functional.pad(labels, (count, 0), value=-100)
        for name in ("start_positions", "end_positions"):
            if kwargs.get(name) is not None:
                kwargs[name] = kwargs[name] + count
        return args, kwargs

    def give(module: Any, args: Any, output: Any) -> Any:
        for name in ("start_logits", "end_logits", "last_hidden_state"):
            if output.get(name) is not None:
                output[name] = output[name][:, count:]
        if "logits" in output and output.logits.dim() == 3:
            output["logits"] = output.logits[:, count:]
        if output.get("hidden_states") is not None:
            output["hidden_states"] = tuple(h[:, count:] for h in output.hidden_states)
        return output

    model.register_forward_pre_hook(take, with_kwargs=True)
    model.register_forward_hook(give)
