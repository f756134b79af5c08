"""LoRA (Hu et al. 2021) on a base of any precision, through peft.

Low-rank updates of the attention's query and value projections, the task head trained beside
them (peft's `modules_to_save`). On an NF4 base this is QLoRA (Dettmers et al. 2023). The scale may
be that of rsLoRA (Kalajdzievski 2023), the update that of DoRA (Liu et al. 2024), the start PiSSA's
or LoftQ's. Whatever they are, what is saved is a LoRA for the plain base in the precision it was
trained on; a combination of which that would not be true is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transfer.errors import MethodError
from transfer.methods import _peft

if TYPE_CHECKING:
    from torch import nn

GIVES = "adapter"
KEYS = ("sequential",)
Sequential = Literal["stack", "start"]
ALL_LINEAR = "all-linear"
_HEADS = r"(.*\.)?(classifier|qa_outputs|pooler)(\..*)?"  # saved whole, or not used at all
_ROUNDED = (
    "rounds what is left of the weights, so that no adapter would give the same on the plain base"
)


def check(
    format: str | None,
    precision: str,
    *,
    init: str = "random",
    dora: bool = False,
    **options: Any,
) -> None:
    """Refuse starts whose result would not fit the plain base, and what peft cannot do."""
    if not re.fullmatch(r"random|loftq|pissa(_niter_[1-9][0-9]?)?", init):
        raise MethodError(
            f"init: {init}: allowed are random, pissa, pissa_niter_4 (faster; any number) and loftq"
        )
    if init.startswith("pissa") and precision != "fp32":
        raise MethodError(
            f"init: {init} takes the principal part out of the weights, and precision: {precision} "
            f"{_ROUNDED}; use precision: fp32 (compute: bf16 makes that fast), or init: loftq with "
            "precision: nf4"
        )
    if init == "loftq" and precision != "nf4":
        raise MethodError(
            "init: loftq starts from what NF4 rounded away, so it needs precision: nf4 "
            f"(not {precision})"
        )
    if dora and precision == "int8":
        raise MethodError(
            "dora: peft's DoRA loses the scales of int8 layers on a CPU; use precision: nf4"
        )


def refuse_sequential(
    how: Sequential, method: str, *, dora: bool = False, init: str = "random", **options: Any
) -> None:
    """Raise MethodError where a method cannot go on from an adapter so."""
    if method != "lora":
        raise MethodError(
            f"sequential: {how} makes one lora of two; with method: {method} fuse the adapter "
            "first and train on that"
        )
    if dora:
        raise MethodError(
            f"dora: trains magnitudes, which no sum of updates can say; leave sequential: {how} "
            "out and fuse the adapter first"
        )
    if how == "start" and init != "random":
        raise MethodError(f"init: {init} and sequential: start are two starts; leave one out")


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.05,
    targets: Sequence[str] | str = ("query", "value"),
    scaling: Literal["standard", "rslora"] = "standard",
    dora: bool = False,
    init: str = "random",
    adapter_layers: Sequence[int] | None = None,
    **options: Any,
) -> Any:
    """Wrap the model; only the adapter and the head require gradients.

    Args:
        rank: r, rows of the update.
        scaling: the update is scaled by alpha / rank, of rslora by alpha / sqrt(rank).
        targets: names of the linear layers that get one, or `all-linear`.
        dora: magnitudes of the weights' rows are trained apart from their directions.
        init: `random`, `pissa`, `pissa_niter_<k>` (k steps of a randomized SVD) or `loftq`.
        adapter_layers: which layers get one, 1 the lowest (its output is `hidden_states.1`); None:
            all layers.

    Raises:
        MethodError: the model has no such layers, or the options do not go together.
    """
    from peft import LoraConfig, get_peft_model

    from transfer.models.checkpoints import keep_codes

    check(format, precision, init=init, dora=dora)
    _check_layers(model, adapter_layers, rank, init)
    config = LoraConfig(
        task_type=_peft.TASKS[format],
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=_targets(model, targets),
        exclude_modules=_HEADS,
        layers_to_transform=[layer - 1 for layer in adapter_layers] if adapter_layers else None,
        layers_pattern="layer" if adapter_layers else None,
        use_rslora=scaling == "rslora",
        use_dora=dora,
        init_lora_weights=init if init.startswith("pissa") else True,
        modules_to_save=["classifier", "pooler"] if format == "choice" else None,
    )
    if dora and precision == "nf4":
        keep_codes(model)
    wrapped = get_peft_model(model, config)
    if init == "loftq":
        from transfer.methods import _starts

        _starts.loftq(wrapped)
    if init.startswith("pissa"):
        from transfer.methods import _starts

        wrapped.start = _starts.matrices(wrapped)
    return wrapped


def save(model: Any, out: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`."""
    _peft.save(model, out)
    if hasattr(model, "start"):
        from transfer.methods import _starts

        _starts.subtract(out, model.start)
    if hasattr(model, "under"):
        model.under.join(out)


def _check_layers(model: Any, layers: Sequence[int] | None, rank: int, init: str) -> None:
    count = model.config.num_hidden_layers
    width = min(model.config.hidden_size, model.config.intermediate_size)
    for layer in layers or ():
        if not 1 <= layer <= count:
            raise MethodError(f"adapter_layers: {layer}, but the model has layers 1 to {count}")
    if init != "random" and rank > width:
        raise MethodError(f"rank: {rank} is more than the width {width}; init: {init} has no more")


def _targets(model: Any, targets: Sequence[str] | str) -> list[str]:
    """Names that peft is to match, each of which some linear layer has."""
    linear = _linear(model.base_model.encoder)
    if targets == ALL_LINEAR:
        return sorted({name.rpartition(".")[2] for name in linear})
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in linear):
            known = sorted({name.rpartition(".")[2] for name in linear})
            raise MethodError(
                f"targets: no linear layer is called {target!r}; there are {', '.join(known)}, "
                f"or targets: {ALL_LINEAR}"
            )
    return list(targets)


def _linear(encoder: nn.Module) -> list[str]:
    from torch import nn

    return [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
