"""The tensors that a checkpoint lacks, has too many of, or has in another shape.

transformers gives random values to what is missing and drops what it does not expect; both are
errors here, unless it is a head that the caller makes or does not use:

- missing or of another shape: the head where the caller is about to train it; the pooler where
  nothing reads it;
- not expected: the head the checkpoint's config names, where another or none is opened; the head
  of the pretraining (masked words); the pooler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError

_POOLER = "pooler"
# The outermost modules of pretraining heads in transformers: XLM-R, BERT, DistilBERT, DeBERTa,
# ELECTRA. A config may name another head, or none.
_PRETRAINING = frozenset(
    (
        *("lm_head", "cls", "vocab_transform", "vocab_layer_norm", "vocab_projector"),
        *("lm_predictions", "mask_predictions", "discriminator_predictions"),
        *("generator_predictions", "generator_lm_head"),
    )
)
_NAMED = 6  # names of each kind in a message


def account(directory: Path, model: Any, loading: Mapping[str, Any], new_head: bool) -> None:
    """Raise ModelError unless every tensor is in its place.

    Args:
        model: as transformers opened it.
        loading: `output_loading_info` of transformers.
        new_head: the head may be missing, or have another shape.
    """
    missing = sorted(
        name for name in loading["missing_keys"] if not _may_be_missing(model, name, new_head)
    )
    misshapen = sorted(
        f"{name} {list(stored)} instead of {list(wanted)}"
        for name, stored, wanted in loading["mismatched_keys"]
        if not (new_head and _in_head(model, name))
    )
    unexpected = sorted({*loading["unexpected_keys"], *_unnamed(model, loading)})
    if unexpected:
        dropped = _droppable(model)
        unexpected = [name for name in unexpected if not _may_be_dropped(model, name, dropped)]
    if not (missing or misshapen or unexpected):
        return
    parts = [
        listed("missing", missing),
        listed("of another shape", misshapen),
        listed("not expected", unexpected),
    ]
    raise ModelError(
        f"the weights in {directory} are not those of its config.json:\n"
        + "\n".join(part for part in parts if part)
        + "\ncopy the checkpoint again, or write it with save_pretrained"
    )


def _in_head(model: Any, name: str) -> bool:
    """Whether a tensor of the opened model is outside its encoder."""
    return model.base_model is not model and not name.startswith(f"{model.base_model_prefix}.")


def _is_pooler(model: Any, name: str) -> bool:
    return name.removeprefix(f"{model.base_model_prefix}.").startswith(f"{_POOLER}.")


def _unnamed(model: Any, loading: Mapping[str, Any]) -> set[str]:
    """Tensors of a head that were read, although the config names another architecture."""
    if type(model).__name__ in (model.config.architectures or ()):
        return set()
    absent = {*loading["missing_keys"], *(name for name, *_ in loading["mismatched_keys"])}
    return {name for name in model.state_dict() if _in_head(model, name)} - absent


def _may_be_missing(model: Any, name: str, new_head: bool) -> bool:
    if _is_pooler(model, name):
        return new_head or model.base_model is model  # of an encoder alone nothing reads it
    return new_head and _in_head(model, name)


def _may_be_dropped(model: Any, name: str, dropped: Iterable[str]) -> bool:
    return _is_pooler(model, name) or name.partition(".")[0] in dropped


def _droppable(model: Any) -> frozenset[str]:
    """Outermost modules of the heads that the checkpoint may have and the opened model has not."""
    found = set(_PRETRAINING)
    for name in model.config.architectures or ():
        if name != type(model).__name__:
            found |= _head_modules(name, type(model.config))
    return frozenset(found)


def _head_modules(architecture: str, config_class: Any) -> set[str]:
    """Outermost modules of an architecture of transformers, without the encoder."""
    import torch
    import transformers

    from evalsuite.static import model as static

    of: Any = getattr(transformers, architecture, getattr(static, architecture, object))
    if getattr(of, "config_class", None) != config_class:
        return set()
    with torch.device("meta"):
        model = of(config_class(num_hidden_layers=1))
    return {name for name, _ in model.named_children()} - {model.base_model_prefix}


def listed(what: str, names: Sequence[str]) -> str:
    """A line of a message with the first few names; empty where there are none."""
    if not names:
        return ""
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"  {what}: {', '.join(names[:_NAMED])}{more}"
