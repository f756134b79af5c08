"""`plan` says what each stage will take of this machine's memory, from config.json alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evalsuite.machine.memory import Place
from recipes.cli import outlook
from recipes.cli.app import main
from recipes.errors import StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.memory import estimate
from recipes.planning.plan import make_plan
from recipes.stages import distill, pretrain, train
from recipes.stages._shared.contract import Artifact
from recipes.stages._shared.training_keys import smaller_batch

XL = {
    "architectures": ["XLMRobertaXLForMaskedLM"], "model_type": "xlm-roberta-xl",
    "hidden_size": 2560, "intermediate_size": 10_240, "max_position_embeddings": 514,
    "num_attention_heads": 32, "num_hidden_layers": 36, "pad_token_id": 1,
    "type_vocab_size": 1, "vocab_size": 250_880,
}  # fmt: skip
XXL = XL | {"hidden_size": 4096, "intermediate_size": 16_384, "num_hidden_layers": 48}
RECIPE = """
name: large
source: embedded
stages:
  - {name: full, stage: train, model: ./MODEL, tasks: [xnli], method: full, batch_size: 8,
     compute: bf16}
  - {name: adapter, stage: train, model: ./MODEL, tasks: [xnli], method: lora, precision: nf4,
     embeddings: int8, batch_size: 8}
  - {name: student, stage: distill, teacher: full, tasks: [xnli], layers: 12, batch_size: 8,
     teacher_precision: nf4}
"""
GB = 1e9


class Folder(NamedTuple):
    """A folder with recipes, and the command line in it."""

    folder: Path

    def write(self, text: str) -> str:
        (self.folder / "r.yaml").write_text(text, encoding="utf-8")
        return "r.yaml"

    def cli(self, *args: str) -> int:
        with pytest.raises(SystemExit) as end:
            main([*args, "--workspace", str(self.folder / "workspace")])
        return int(end.value.code or 0)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Directories of XL and XXL that hold `config.json` and no weights."""
    monkeypatch.chdir(tmp_path)
    for name, config in (("xl", XL), ("xxl", XXL)):
        (tmp_path / name).mkdir()
        text = json.dumps(config)
        (tmp_path / name / "config.json").write_text(text, encoding="utf-8")
    return Folder(tmp_path)


def estimated(large: Folder, text: str, ram: float = 25 * GB) -> Any:
    plan = make_plan(load(large.write(text)), None, DigestMemo(), weights=False)
    return estimate(plan, Place("RAM", int(ram)))


@pytest.mark.parametrize(("name", "parameters"), [("xl", 3.48e9), ("xxl", 10.7e9)])
def test_large_models_are_estimated_from_their_config(
    large: Folder, name: str, parameters: float
) -> None:
    found = estimated(large, RECIPE.replace("MODEL", name))
    parts = found["full"].need.parts
    assert parts["weights"] == pytest.approx(4 * parameters, rel=0.02)
    assert parts["gradients"] == parts["weights"] == parts["optimizer"] / 2
    assert not found["full"].fits
    small = found["adapter"].need.parts
    assert (
        small["weights"] < 0.2 * parts["weights"] and small["optimizer"] < 0.01 * parts["weights"]
    )
    student = found["student"].need.parts
    assert student["teacher"] == pytest.approx(small["weights"] + 3 / 4 * 4 * 250_880 *
        (XL if name == "xl" else XXL)["hidden_size"], rel=0.03)  # fmt: skip


def test_what_would_fit_is_named_with_numbers(
    large: Folder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "machine_memory", lambda: Place("RAM", int(25 * GB)))
    assert large.cli("plan", large.write(RECIPE.replace("MODEL", "xl"))) == 0
    said = capfd.readouterr().out
    assert re.search(
        r"stage +memory +weights +gradients +optimizer +activations +other +teacher", said
    )
    assert re.search(r"full +6\d\.\d GB +13\.9 GB +13\.9 GB +27\.9 GB", said)
    assert re.search(r"\nfull: 6\d\.\d GB do not fit into 25\.0 GB\n", said)
    assert re.search(r"\n  method: lora, precision: nf4, embeddings: int8: +\d\.\d GB", said)
    assert "\n  gradient_checkpointing: true:" not in said  # does not suffice
    assert "memory is estimated at each stage's peak; this machine has 25.0 GB of RAM" in said
    assert "note: r.yaml:5: ./xl has no weights yet; run will need them" in said


def test_fewer_rows_at_once_are_as_many_steps() -> None:
    keys = {"name": "t", "stage": "train", "model": "m", "tasks": ("xnli",), "batch_size": 8}
    config = train.Config(**keys, accumulate=2, max_steps=100)
    asked = {"batch_size": 1, "accumulate": 16, "max_steps": 800}
    assert smaller_batch(config) == asked
    assert asked in list(train.less_memory(config))
    assert smaller_batch(train.Config(**keys)) == {"batch_size": 1, "accumulate": 8}
    whole = train.Config(**keys, effective_batch=64, max_steps=100)
    assert smaller_batch(whole) == {"batch_size": 1}
    text = pretrain.Config(name="p", stage="pretrain", model="m", steps=50, batch_size=8)
    assert smaller_batch(text) == {"batch_size": 1, "accumulate": 8}


def test_a_search_is_checked_without_weights_too(
    large: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    large.write("""
name: sizes
source: embedded
search:
  {trials: 2, budget: {MB: 900}, reference: teacher, candidate: packed, knobs: {layers: [6, 4]}}
stages:
  - {name: teacher, stage: train, model: ./xl, tasks: [xnli], method: full}
  - {name: student, stage: distill, teacher: teacher, tasks: [xnli], layers: "${layers}"}
  - {name: packed, stage: export, model: student, runtime: onnxruntime, precision: int8}
  - {name: scores, stage: evaluate, models: [teacher, packed], tasks: [xnli]}
""")
    assert large.cli("check", "r.yaml") == 0, capfd.readouterr().err


@pytest.mark.parametrize("keys", [{"tasks": ("lareqa",)}, {"tasks": (), "contrastive": "words"}])
def test_rows_that_are_searched_in_a_batch_stay_together(keys: dict[str, Any]) -> None:
    given = {"name": "t", "stage": "train", "model": "m", "method": "lora", **keys}
    hints = list(train.less_memory(train.Config(**given)))
    assert {"gradient_checkpointing": True} in hints
    assert not [hint for hint in hints if "batch_size" in hint]
    alone = train.Config(**given, batch_size=1)
    with pytest.raises(StageInputError, match="batch_size: 1: each text is to find its partner"):
        train.check(alone, {"model": [Artifact("checkpoint")]})
    student = distill.Config(
        name="d", stage="distill", teacher="m", layers=2, sentences=1.0, contrast=1.0
    )
    assert not [hint for hint in distill.less_memory(student) if "batch_size" in hint]


def test_two_texts_and_all_processes_are_counted(
    large: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def parts(more: str, tasks: str = "xnli") -> Any:
        line = f"{{name: full, stage: train, model: ./xl, tasks: [{tasks}], method: full{more}}}"
        found = estimated(large, f"name: m\nsource: embedded\nstages:\n  - {line}\n")
        return found["full"].need.parts

    one = parts("")
    assert parts("", "lareqa")["activations"] == pytest.approx(2 * one["activations"], rel=0.01)
    assert parts(", adversarial: 0.1")["activations"] == 2 * one["activations"]
    assert parts(", effective_batch: 8")["activations"] == pytest.approx(
        one["activations"] / 4, rel=0.01
    )
    one = parts(", effective_batch: 64")
    both = parts(", effective_batch: 64, processes: 2")
    assert both == {name: 2 * size for name, size in one.items()}


def test_where_nothing_fits_the_least_is_named(large: Folder) -> None:
    found = estimated(large, RECIPE.replace("MODEL", "xxl"), ram=2 * GB)["full"]
    assert not any(found.within(need) for _, need in found.less)
    least = min(found.less, key=lambda pair: pair[1].total)[0]
    assert least["precision"] == "nf4" and least["gradient_checkpointing"] is True


def test_check_needs_no_weights_and_run_does(
    large: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = large.write(RECIPE.replace("MODEL", "xl"))
    assert large.cli("check", recipe) == 0
    said = capfd.readouterr()
    assert "ok, 3 stages" in said.out
    assert "./xl has no weights yet; run will need them" in said.out + said.err
    assert large.cli("run", recipe) == 2
    assert "./xl is not a checkpoint: it has no model.safetensors" in capfd.readouterr().err


def test_what_is_not_known_ahead_has_no_estimate(large: Folder) -> None:
    text = RECIPE.replace("./MODEL", "org/not-here")
    assert estimated(large, text) == {}
    (large.folder / "other").mkdir()
    config = json.dumps({"model_type": "albert", "architectures": ["AlbertModel"]})
    (large.folder / "other" / "config.json").write_text(config, encoding="utf-8")
    full = "\n".join(RECIPE.splitlines()[:6]).replace("MODEL", "other")
    assert estimated(large, full) == {}
