"""LoRA (Hu et al. 2021) on a base of any precision, through peft.

Low-rank updates of the attention's query and value projections are trained, together with the task
head (peft's `modules_to_save`). On an NF4 base this is QLoRA (Dettmers et al. 2023). The scale can
be that of rsLoRA (Kalajdzievski 2023), the update that of DoRA (Liu et al. 2024), the start that of
PiSSA or LoftQ. In every case the saved adapter is a LoRA for the plain base in the precision it was
trained on; combinations for which that would not hold are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge

from evalsuite.find_family import family_of, named
from transfer.errors import MethodError
from transfer.methods import _peft
from transfer.methods._options import option, read

if TYPE_CHECKING:
    from torch import nn

    from evalsuite.family import Family
    from evalsuite.machine.model_shape import ModelShape

GIVES = "adapter"
KEYS = ("sequential",)
Sequential = Literal["stack", "start"]
ALL_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True)
class Options:
    """Size, scale, start and place of the updates."""

    rank: int = option(16, "LoRA rank: inner dimension of the low-rank update.", ge=1)
    alpha: int = option(
        32,
        "LoRA scale: the update is multiplied by alpha / rank, or by alpha / sqrt(rank) with "
        "scaling: rslora.",
        ge=1,
    )
    dropout: float = option(0.05, "Dropout rate on the input of the LoRA update.", ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] | None = option(
        None,
        "Names of the linear layers that get a LoRA update; all-linear means all of them; default: "
        "those of the attention's queries and values, as the model's family names them.",
    )
    scaling: Literal["standard", "rslora"] = option(
        "standard",
        "LoRA scaling: standard divides alpha by rank, rslora divides it by sqrt(rank).",
    )
    dora: bool = option(
        False, "DoRA: train the magnitudes of the weights apart from their directions."
    )
    init: str = option(
        "random",
        "Initial LoRA weights: random, pissa, pissa_niter_4 (faster; any number) or loftq.",
    )
    adapter_layers: tuple[Annotated[int, Ge(1)], ...] | None = option(
        None,
        "Layers that get a LoRA update, counted from 1, the lowest; default: all layers.",
        min_length=1,
    )


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse a start whose result would not fit the plain base, and what peft cannot do."""
    chosen = read(Options, options)
    init = chosen.init
    if not re.fullmatch(r"random|loftq|pissa(_niter_[1-9][0-9]?)?", init):
        raise MethodError(
            f"init: {init}: allowed are random, pissa, pissa_niter_4 (faster; any number) and loftq"
        )
    if init.startswith("pissa") and precision != "fp32":
        raise MethodError(
            f"init: {init} takes the principal part out of the weights, and precision: {precision} "
            "rounds what is left of the weights, so that the adapter would not fit the plain base; "
            "use precision: fp32 (with compute: bf16 for speed), or init: loftq with precision: nf4"
        )
    if init == "loftq" and precision != "nf4":
        raise MethodError(
            "init: loftq starts from the rounding error of NF4, so it needs precision: nf4 "
            f"(not {precision})"
        )
    if chosen.dora and precision == "int8":
        raise MethodError(
            "dora: peft's DoRA loses the scales of int8 layers on a CPU; use precision: nf4"
        )


def refuse_sizes(config: Any, **options: Any) -> None:
    """Refuse layers that the model lacks, and a rank that it is too narrow for."""
    chosen, sizes = read(Options, options), family_of(config).sizes(config)
    for layer in chosen.adapter_layers or ():
        if not 1 <= layer <= sizes.layers:
            raise MethodError(
                f"adapter_layers: {layer}, but the model has layers 1 to {sizes.layers}"
            )
    width = min(sizes.width, sizes.feed_forward)
    if chosen.init != "random" and chosen.rank > width:
        raise MethodError(
            f"rank: {chosen.rank} is more than the model's width, {width}, the most that "
            f"init: {chosen.init} can start from"
        )


def refuse_sequential(how: Sequential, method: str, **options: Any) -> None:
    """Raise MethodError where a method cannot train on an adapter in this way."""
    chosen = read(Options, options)
    if method != "lora":
        raise MethodError(
            f"sequential: {how} makes one lora of two; with method: {method} fuse the adapter "
            "first and train on the result"
        )
    if chosen.dora:
        raise MethodError(
            f"dora: trains magnitudes, which cannot be added to another update; leave sequential: "
            f"{how} out and fuse the adapter first"
        )
    if how == "start" and chosen.init != "random":
        raise MethodError(
            f"init: {chosen.init} and sequential: start are two starts; leave one of them out"
        )


def trained(shape: ModelShape, **options: Any) -> int:
    """Parameters that are trained, from the model's shape: the updates and the head."""
    chosen = read(Options, options)
    layers = shape.layers if chosen.adapter_layers is None else len(chosen.adapter_layers)
    ends = _updated(shape, chosen).values()
    return layers * sum(chosen.rank * sum(end) for end in ends) + shape.head


def updated(shape: ModelShape, **options: Any) -> int:
    """Linear layers of each layer that get an update."""
    return len(_updated(shape, read(Options, options)))


def _updated(shape: ModelShape, options: Options) -> dict[str, tuple[int, int]]:
    """Their paths, with their inputs and outputs."""
    targets = named(shape.family).lora if options.targets is None else options.targets
    linear = shape.linear_layers()
    return {path: ends for path, ends in linear.items() if _matches(path, targets)}


def _matches(path: str, targets: Sequence[str] | str) -> bool:
    """Whether the linear layer at a path is one of the targets."""
    return targets == ALL_LINEAR or any(f".{path}".endswith(f".{target}") for target in targets)


def prepare(model: Any, format: str | None, precision: str, **options: Any) -> Any:
    """Wrap the model; only the adapter and the head require gradients.

    Args:
        options: see `Options`; `adapter_layers` are counted from 1, whose output is
            `hidden_states.1`.

    Raises:
        MethodError: the model has no such layers, or the options do not go together.
        UnknownNameError: the model's family is not known.
    """
    from peft import LoraConfig, get_peft_model

    from transfer.models.checkpoints import keep_codes

    check(format, precision, **options)
    chosen = read(Options, options)
    refuse_sizes(model.config, **options)
    layers, init = chosen.adapter_layers, chosen.init
    family = family_of(model)
    config = LoraConfig(
        task_type=_peft.TASKS[format],
        r=chosen.rank,
        lora_alpha=chosen.alpha,
        lora_dropout=chosen.dropout,
        target_modules=_targets(family, model, chosen.targets),
        exclude_modules=rf"(.*\.)?({'|'.join(family.heads)})(\..*)?",  # trained whole, or not used
        layers_to_transform=[layer - 1 for layer in layers] if layers else None,
        layers_pattern=family.stack.rpartition(".")[2] if layers else None,
        use_rslora=chosen.scaling == "rslora",
        use_dora=chosen.dora,
        init_lora_weights=init if init.startswith("pissa") else True,
        modules_to_save=_peft.heads(family, model, format),
    )
    if chosen.dora and precision == "nf4":
        keep_codes(model)
    wrapped = get_peft_model(model, config)
    if init == "loftq":
        from transfer.methods import _lora_start

        _lora_start.loftq(wrapped)
    if init.startswith("pissa"):
        from transfer.methods import _lora_start

        wrapped.start = _lora_start.matrices(wrapped)
    return wrapped


def save(model: Any, out: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`."""
    _peft.save(model, out)
    if hasattr(model, "start"):
        from transfer.methods import _lora_start

        _lora_start.subtract(out, model.start)
    if hasattr(model, "under"):
        model.under.join(out)


def _targets(family: Family, model: Any, targets: Sequence[str] | str | None) -> list[str]:
    """Names for peft to match; each is the name of at least one linear layer."""
    linear = _linear(family.layers(model))
    if targets is None:
        return list(family.lora)
    if targets == ALL_LINEAR:
        return sorted({name.rpartition(".")[2] for name in linear})
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in linear):
            known = sorted({name.rpartition(".")[2] for name in linear})
            raise MethodError(
                f"targets: no linear layer is called {target!r}; use one of {', '.join(known)}, "
                f"or targets: {ALL_LINEAR}"
            )
    return list(targets)


def _linear(layers: nn.Module) -> list[str]:
    from torch import nn

    return [name for name, module in layers.named_modules() if isinstance(module, nn.Linear)]
