"""What prompt methods share: virtual tokens that peft puts before a frozen model's own."""

from __future__ import annotations

from typing import Any

from transfer.errors import MethodError


def check(method: str, format: str | None) -> None:
    """Raise MethodError where peft has no prompts for a format."""
    if format == "choice":
        raise MethodError(
            f"method: {method}: peft has no prompts for tasks of choices; use method: lora"
        )


def freeze(model: Any, method: str, length: int, max_length: int | None) -> None:
    """Freeze the model.

    Raises:
        MethodError: it has fewer positions than the longest sequence and the prompt need.
    """
    positions = model.config.max_position_embeddings - 2
    if max_length is not None and length + max_length > positions:
        raise MethodError(
            f"method: {method}: {length} virtual tokens and max_length: {max_length} are more than "
            f"the model's {positions} positions; max_length: {positions - length} would do"
        )
    model.requires_grad_(False)


def real_tokens_alone(model: Any) -> None:
    """Have a soft prompt's model take and give what concerns real tokens.

    peft puts virtual tokens before the real ones and answers for all of them, while labels and
    positions of spans count real ones. Hooks fit the one to the other; what is saved has none.
    """
    count = model.active_peft_config.num_virtual_tokens

    def take(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from torch import nn

        labels = kwargs.get("labels")
        if labels is not None and labels.dim() == 2:
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
