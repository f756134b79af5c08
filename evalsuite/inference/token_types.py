"""Token types, which BERT reads of two texts: 0 for the first and its separator, 1 for the second.

>>> read_types(model, separator=102)
>>> model(input_ids=ids, attention_mask=mask)  # as with token_type_ids of transformers' tokenizer

The types follow from the token ids, so a hook on the model's embeddings computes them there. What
trains, scores, distils or traces a model passes ids and mask, as for XLM-R, and a graph computes
the types inside. A separator that is written out in the first text (`[SEP]`) counts as its end.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.opening.tokenizer import has_tokenizer, tokenizer_of

if TYPE_CHECKING:
    import torch


def separator_of(directory: Path, model: Any) -> int | None:
    """Id of the token that ends the first text.

    None where the model has no types, or its tokenizer gives none in transformers.

    Raises:
        ModelError: the types do not follow from the ids, or the model's embeddings take none.
    """
    if getattr(model.config, "type_vocab_size", 0) < 2 or not has_tokenizer(directory):
        return None
    tokenizer = tokenizer_of(directory)
    pair = tokenizer("a", "b")
    types = pair.get("token_type_ids")
    if types is None or not any(types):
        return None
    ids, second = pair["input_ids"], types.index(1)
    found: int = ids[second - 1]
    if types != _expected(ids, found) or any(tokenizer("a")["token_type_ids"]):
        raise ModelError(
            f"{directory} reads token types {types} of two texts; only 0 for the first text with "
            "its separator and 1 for the second can be passed"
        )
    if not hasattr(model.base_model, "embeddings"):
        raise ModelError(
            f"{directory} reads token types, and {type(model).__name__} has no embeddings that "
            "take them"
        )
    return found


def _expected(ids: list[int], separator: int) -> list[int]:
    first = ids.index(separator)
    return [int(place > first) for place in range(len(ids))]


class _Types:
    """The hook: computes `token_type_ids` from `input_ids`."""

    def __init__(self, separator: int) -> None:
        self.separator = separator

    def __call__(self, module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        ids: torch.Tensor | None = kwargs.get("input_ids", args[0] if args else None)
        if ids is None:  # a prompt has no ids
            return None
        ends = (ids == self.separator).long()
        types = (ends.cumsum(-1) - ends > 0).long()
        return args, {**kwargs, "token_type_ids": types}


def read_types(model: Any, separator: int | None) -> None:
    """Have a model read token types; not, where there is no separator."""
    if separator is not None:
        embeddings = model.base_model.embeddings
        embeddings.register_forward_pre_hook(_Types(separator), with_kwargs=True)


def separator_read(model: Any) -> int | None:
    """The separator a model was made to read types by, for a copy of it; None without one."""
    embeddings = getattr(model.base_model, "embeddings", None)
    hooks = getattr(embeddings, "_forward_pre_hooks", {}).values()
    return next((hook.separator for hook in hooks if isinstance(hook, _Types)), None)
