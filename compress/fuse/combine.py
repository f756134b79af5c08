"""Several adapters of one base as one adapter, by peft's `add_weighted_adapter`.

Where peft is not enough:

- it refuses adapters that carry a head each (`modules_to_save`), and of a single head loses it; so
  low-rank updates alone are combined, and the head is the first adapter's as it is;
- it takes `use_rslora` over from the first adapter, although the scale is in the combined factors
  already, so that the update comes out sqrt(rank) times too large; the combined adapter is plain;
- it drops what it does not know (DoRA's magnitudes, biases); here these are refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from compress.errors import FuseError
from compress.fuse import rules
from compress.fuse.combinations import Combination
from evalsuite.opening.adapter import lora_config, refuse_other_names
from evalsuite.opening.validated import adapter_config
from evalsuite.task import Task
from transfer.models import checkpoints
from transfer.models.adapters import Adapter

Tensors = dict[str, torch.Tensor]
_PREFIX = "base_model.model."
_MIXED = "mixed"
# Keys of an adapter's config that its update B A, its scale and its head do not outgrow.
_PLAIN = frozenset(
    (
        *("alpha_pattern", "auto_mapping", "base_model_name_or_path", "exclude_modules"),
        *("inference_mode", "layers_pattern", "layers_to_transform", "lora_alpha", "lora_dropout"),
        *("megatron_core", "modules_to_save", "peft_type", "peft_version", "r", "revision"),
        *("target_modules", "task_type", "use_rslora"),
    )
)


@dataclass(frozen=True, slots=True)
class How:
    """How adapters are combined; see `compress.fuse.combinations`.

    Attributes:
        density: share of values kept by TIES, DARE and magnitude pruning.
        rank: the updates' sum is cut to, where it is cut; default the adapters' largest.
        seed: of the values that DARE drops.
    """

    combine: Combination = "cat"
    density: float | None = None
    rank: int | None = None
    seed: int = 0


class Mixer:
    """Adapters side by side, to be combined as often as wanted."""

    def __init__(self, adapters: Sequence[Adapter], task: Task | None, how: How) -> None:
        """Load them; the first one's head is kept aside.

        Raises:
            FuseError: they do not go together.
        """
        from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
        from safetensors.torch import load_file

        _together(adapters, how)
        self.first, self.how = adapters[0], how
        self.names = [f"adapter{index}" for index in range(len(adapters))]
        base, _ = checkpoints.load(self.first.base, task, "fp32")
        known = {name for name, _ in base.named_modules()}
        self.head: Tensors = {}
        self.targets: set[str] = set()
        self.model: Any = None
        for name, adapter in zip(self.names, adapters, strict=True):
            tensors = load_file(adapter.directory / "adapter_model.safetensors")
            if adapter is self.first:
                self.head = {key: value for key, value in tensors.items() if ".lora_" not in key}
            own = _placed(tensors, known, base.base_model_prefix, adapter)
            targets = {key.removeprefix(_PREFIX).split(".lora_")[0] for key in own}
            self.targets |= targets
            config = _plain(lora_config(adapter.directory), targets)
            if self.model is None:
                self.model = PeftModel(base, config, adapter_name=name)
            else:
                self.model.add_adapter(name, config)
            wanted = get_peft_model_state_dict(
                self.model, adapter_name=name, save_embedding_layers=False
            )
            refuse_other_names(adapter.directory, _sizes(wanted), _sizes(own))
            set_peft_model_state_dict(self.model, own, adapter_name=name)

    def mixed(self, weights: Sequence[float]) -> Tensors:
        """The combined adapter's tensors, head included, as its file holds them.

        Raises:
            FuseError: there is a layer too small for the rank.
        """
        from peft import get_peft_model_state_dict

        if _MIXED in self.model.peft_config:
            self.model.delete_adapter(_MIXED)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.how.seed)
            self.model.add_weighted_adapter(
                self.names,
                list(weights),
                _MIXED,
                combination_type=self.how.combine,
                svd_rank=self.how.rank,
                svd_full_matrices=False,
                density=self.how.density,
            )
        found = get_peft_model_state_dict(
            self.model, adapter_name=_MIXED, save_embedding_layers=False
        )
        for key, value in found.items():
            if ".lora_A" in key and len(value) < self.rank:
                raise FuseError(
                    f"rank: {self.rank} is more than the {len(value)} there are in "
                    f"{key.removeprefix(_PREFIX)}; lower it"
                )
        return {**self.head, **{key: value.contiguous() for key, value in found.items()}}

    @property
    def rank(self) -> int:
        """Of what was mixed last."""
        return int(self.model.peft_config[_MIXED].r)

    def write(self, weights: Sequence[float], out: Path) -> Adapter:
        """Combine, and write an adapter that plain peft opens.

        Raises:
            FuseError: as `mixed`.
        """
        from safetensors.torch import save_file

        tensors = self.mixed(weights)
        before = lora_config(self.first.directory)
        config = dataclasses.replace(
            _plain(before, self.targets),
            r=self.rank,
            lora_alpha=self.rank,
            use_rslora=False,
            alpha_pattern={},
            modules_to_save=before.modules_to_save,
            task_type=before.task_type,
        )
        out.mkdir(parents=True, exist_ok=True)
        config.save_pretrained(out)
        save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
        return dataclasses.replace(self.first, directory=out)


def _sizes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _plain(config: Any, targets: set[str]) -> Any:
    """The config of the low-rank update alone, its modules named one by one."""
    return dataclasses.replace(
        config,
        target_modules=sorted(targets),
        exclude_modules=None,
        layers_to_transform=None,
        layers_pattern=None,
        modules_to_save=None,
        task_type=None,
        init_lora_weights=True,
        inference_mode=True,
    )


def _placed(tensors: Tensors, known: set[str], encoder: str, adapter: Adapter) -> Tensors:
    """The low-rank tensors under the names of the first adapter's model: with its encoder's prefix
    (`roberta.`) or without."""
    found: Tensors = {}
    for key, value in tensors.items():
        if ".lora_" not in key:
            continue
        module = key.removeprefix(_PREFIX).split(".lora_")[0]
        bare = module.removeprefix(f"{encoder}.")
        place = next((name for name in (f"{encoder}.{bare}", bare) if name in known), None)
        if place is None:
            raise FuseError(f"{adapter.directory} changes {module}, which its base does not have")
        found[key.replace(f"{_PREFIX}{module}.", f"{_PREFIX}{place}.", 1)] = value
    return found


def _together(adapters: Sequence[Adapter], how: How) -> None:
    """Raise unless the adapters can be combined, with all that is in the way."""
    from peft import LoraConfig

    wrong = []
    described = []
    neutral = LoraConfig().to_dict()
    for adapter in adapters:
        config = adapter_config(adapter.directory)
        if config.get("peft_type") != "LORA":
            wrong.append(f"{adapter.directory} is {config.get('peft_type')}, and LoRA is combined")
            continue
        described.append(_described(adapter, config.get("r", 0)))
        start = config.get("init_lora_weights", True)
        odd = {key for key, value in config.items() if value and value != neutral.get(key)}
        odd = {key for key in odd - _PLAIN if key not in ("init_lora_weights", "use_dora")}
        odd |= {"init_lora_weights"} if start not in (True, False, "gaussian") else set()
        if odd:
            wrong.append(
                f"{adapter.directory} has {', '.join(sorted(odd))} in its config, "
                "which a sum of low-rank updates cannot say"
            )
    wrong += rules.alike_problems(described, how.combine)
    if wrong:
        raise FuseError("these adapters cannot be combined:\n" + "\n".join(wrong))


def _described(adapter: Adapter, rank: int) -> rules.Described:
    """What the rules read of an adapter that is there."""
    return rules.Described(
        name=str(adapter.directory),
        base=adapter.base.resolve(),
        method=adapter.kind,
        precision=adapter.precision,
        embeddings=adapter.embeddings,
        rank=rank,
        dora=adapter.dora,
        where=str(adapter.base),
    )
