"""Models tuned by plain transformers and plain peft enter a recipe without a train stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from evalsuite.results.task import TaskResult
from recipes.errors import RecipeError
from recipes.execution.run_options import RunOptions
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.run import run_recipe
from tests.support.harmed import change_json, write_small

TOPICS = ("sports", "travel", "weather")
TASK = """
name: foreign
source: files
tasks:
  topics: {format: classification, test: "test-{language}.csv"}
  tags: {format: tagging, test: {de: tags.conll}}
stages:
"""
CHECKPOINT = """
  - {name: small, stage: trim, model: ./classifier, text: [words.txt], min_agreement: 0}
  - {name: half, stage: export, model: small, runtime: torch, precision: bf16, min_agreement: 0}
  - {name: scores, stage: evaluate, models: [./classifier, small, half], tasks: [topics]}
"""
ADAPTER = """
  - {name: fused, stage: fuse, model: ./adapter, adapter_task: topics}
  - {name: small, stage: trim, model: fused, text: [words.txt], min_agreement: 0}
  - {name: scores, stage: evaluate, models: [./adapter, fused, small], tasks: [topics],
     adapter_task: topics}
"""
ROWS = "text,label\nab cd,sports\nef g,travel\nhi,weather\nkl mn,sports\n"


def adapter(base: Path, out: Path) -> None:
    """As plain peft saves it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(base)
    wrapped = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"]))
    torch.manual_seed(1)
    for weight in wrapped.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    wrapped.save_pretrained(out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    names = {"id2label": dict(enumerate(TOPICS)), "label2id": {n: i for i, n in enumerate(TOPICS)}}
    write_small(tmp_path / "classifier", **names)
    for code in ("de", "sw"):
        (tmp_path / f"test-{code}.csv").write_text(ROWS)
    (tmp_path / "tags.conll").write_text("ab B\ncd O\n\nef O\n")
    (tmp_path / "words.txt").write_text("ab cd ef g hi kl mn\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    (tmp_path / "none.yaml").write_text("name: none\nsource: embedded\nstages: []\n")
    load("none.yaml")  # forgets the declared tasks


def write(stages: str) -> str:
    Path("recipe.yaml").write_text(TASK.lstrip() + stages.lstrip("\n"))
    return "recipe.yaml"


def plan(stages: str) -> Plan:
    return make_plan(load(write(stages)), None, DigestMemo())


def run(stages: str) -> list[TaskResult]:
    run_recipe(write(stages), workspace=Path("work"), options=RunOptions(until_stage="scores"))
    (scores,) = Path("work/stages").glob("evaluate-*")
    files = sorted(scores.glob("*.topics.json"))
    return [TaskResult.model_validate_json(file.read_text()) for file in files]


def test_a_classifier_of_plain_transformers(folder: Path) -> None:
    artifacts = {stage.name: stage.artifact for stage in plan(CHECKPOINT).stages}
    assert artifacts["small"].task == artifacts["half"].task == "topics"
    whole, small, half = run(CHECKPOINT)
    assert whole.examples == {"de": 4, "sw": 4} and "accuracy" in whole.metrics
    assert small.metrics == whole.metrics
    assert half.model.precision == "bf16"


@pytest.mark.slow
def test_an_adapter_of_plain_peft(folder: Path) -> None:
    adapter(folder / "classifier", folder / "adapter")
    live, fused, small = run(ADAPTER)
    assert live.metrics == fused.metrics == small.metrics
    assert live.model.parameters > fused.model.parameters > small.model.parameters


def test_its_task_follows_from_the_labels_of_its_base(folder: Path) -> None:
    adapter(folder / "classifier", folder / "adapter")
    found = plan("  - {name: fused, stage: fuse, model: ./adapter}\n").stages[0].artifact
    assert (found.kind, found.task, found.external) == ("checkpoint", "topics", False)


def test_labels_without_names_are_compared_on_the_text_of_their_format(folder: Path) -> None:
    change_json(
        folder / "classifier" / "config.json",
        lambda config: config.update(
            id2label={str(n): f"LABEL_{n}" for n in range(3)}, label2id={}
        ),
    )
    stage = "  - {name: small, stage: trim, model: ./classifier, text: [words.txt]}\n"
    found = plan(stage).stages[0]
    assert found.artifact.task is None
    assert [need.task for need in found.module.data(found.config, found.artifact)] == [
        "words.txt",
        "topics",
    ]
    with pytest.raises(RecipeError, match=r"LABEL_0.* needs sports, travel, weather\n.*id2label"):
        plan("  - {name: s, stage: evaluate, models: [./classifier], tasks: [topics]}\n")


def test_distil_prune_and_benchmark_take_it_too(folder: Path) -> None:
    (folder / "train.csv").write_text(ROWS)
    stages = """
  - {name: fewer, stage: prune, model: ./classifier, tasks: [own], ffn: 8, epochs: 0,
     multilingual: 0}
  - {name: student, stage: distill, teacher: ./classifier, tasks: [own], layers: 1, multilingual: 0}
  - {name: speed, stage: benchmark, models: [./classifier, fewer, student], task: own}
"""
    told = "  topics:"
    other = "  own: {format: classification, train: {en: train.csv}, dev: {en: train.csv}}\n"
    text = (TASK + stages.lstrip("\n")).replace(told, other + told)
    Path("recipe.yaml").write_text(text.lstrip())
    found = make_plan(load("recipe.yaml"), None, DigestMemo())
    assert [stage.artifact.task for stage in found.stages[:2]] == [None, None]  # two fit
    needs = found.stages[0].module.data(found.stages[0].config, found.stages[0].artifact)
    assert "own" in [need.task for need in needs if need.split == "eval"]
    text = text.replace("[./classifier, fewer, student], task: own", "[fewer]")
    Path("recipe.yaml").write_text(text.lstrip())
    with pytest.raises(RecipeError, match=r"no rows of xnli, .* name one that it declares"):
        make_plan(load("recipe.yaml"), None, DigestMemo())


def remote(folder: Path) -> None:
    names = {"AutoModel": "modeling.Own"}
    path = folder / "classifier" / "config.json"
    change_json(path, lambda config: config.update(model_type="own", auto_map=names))


def more_ids(folder: Path) -> None:
    path = folder / "classifier" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_tokens([f"[{number}]" for number in range(20)])
    tokenizer.save(str(path))


def no_tokenizer(folder: Path) -> None:
    (folder / "classifier" / "tokenizer.json").write_text("{}")


def tagger(folder: Path) -> None:
    shutil.rmtree(folder / "classifier")
    write_small(folder / "classifier", "ForTokenClassification")


def encoder(folder: Path) -> None:
    shutil.rmtree(folder / "classifier")
    write_small(folder / "classifier", "Model")


def other_labels(folder: Path) -> None:
    shutil.rmtree(folder / "classifier")
    write_small(folder / "classifier")


def several_labels(folder: Path) -> None:
    path = folder / "classifier" / "config.json"
    change_json(path, lambda c: c.update(problem_type="multi_label_classification"))


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "code of its own": (remote, r"code of a checkpoint is never\s+run"),
    "more ids than rows": (more_ids, r"ids up to 51 .* have 40 rows"),
    "no tokenizer in its file": (no_tokenizer, "tokenizer.json is not a tokenizer"),
    "a head of another format": (tagger, "head of the format tagging cannot do topics"),
    "no head": (encoder, "an encoder without a head cannot do topics"),
    "other labels": (other_labels, "predicts entailment, .*; topics needs sports, travel, weather"),
    "several labels": (several_labels, "each of its labels by itself; topics needs one label"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_one_message_before_anything_runs(name: str, folder: Path) -> None:
    change, message = BAD[name]
    change(folder)
    with pytest.raises(RecipeError, match=message) as caught:
        run_recipe(write(CHECKPOINT), workspace=Path("work"))
    assert str(caught.value).startswith("recipe.yaml: 1 problem\n")
    assert not Path("work/stages").exists()


BAD_ADAPTERS = {
    "tags": "adapter_task: a head of the format pair cannot do tags, .* of the format tagging",
    "xnli": "predicts sports, travel, weather; xnli needs entailment, neutral, contradiction",
    "pawsx": "predicts sports, travel, weather; pawsx needs",
}


@pytest.mark.parametrize("task", BAD_ADAPTERS)
def test_an_adapter_with_a_head_of_another_task_is_refused(task: str, folder: Path) -> None:
    adapter(folder / "classifier", folder / "adapter")
    path = folder / "words.txt"  # no declared task has its labels: nothing is known but the key
    path.with_name("test-de.csv").write_text("text,label\nab,x\ncd,y\nef,z\n")
    path.with_name("test-sw.csv").unlink()
    with pytest.raises(RecipeError, match=BAD_ADAPTERS[task]):
        plan(f"  - {{name: f, stage: fuse, model: ./adapter, adapter_task: {task}}}\n")


def test_an_adapter_on_a_bare_encoder_is_known_by_its_number_of_labels(folder: Path) -> None:
    adapter(folder / "classifier", folder / "adapter")
    encoder(folder)
    shapes = {
        n: t.shape for n, t in load_file(folder / "adapter/adapter_model.safetensors").items()
    }
    assert any(shape[0] == 3 for shape in shapes.values())
    stage = "  - {{name: f, stage: fuse, model: ./adapter, adapter_task: {}}}\n"
    assert plan(stage.format("topics")).stages[0].artifact.task == "topics"
    with pytest.raises(RecipeError, match="the head has 3 labels; pawsx needs"):
        plan(stage.format("pawsx"))
    assert (
        json.loads((folder / "adapter/adapter_config.json").read_text())["task_type"] == "SEQ_CLS"
    )
