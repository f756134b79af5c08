"""A last layer that computes `<s>` alone, for heads that read nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    MPNetForSequenceClassification,
    RemBertForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForMultipleChoice,
    XLMRobertaForSequenceClassification,
    XLMRobertaForTokenClassification,
)

from compress.export import graph
from compress.export.export import export
from compress.export.first_token import first_token_alone
from compress.export.graph import ExportOptions
from compress.export.sensitivity import groups
from compress.prune.structure import drop_silent_heads
from evalsuite.bench import flops
from evalsuite.errors import ModelError
from evalsuite.find_family import named
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.runtimes.torch import load_checkpoint
from recipes.errors import StageInputError
from recipes.planning.external_models import inspect
from recipes.stages import alignment as aligning
from recipes.stages import evaluate as evaluating
from recipes.stages import export as exporting
from recipes.stages._shared.contract import Artifact, HeadFacts

SHAPE = {
    "vocab_size": 60, "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 192, "max_position_embeddings": 40, "initializer_range": 0.2,
}  # fmt: skip


def model(make: Callable[[Any], Any], config: Any = XLMRobertaConfig) -> Any:
    torch.manual_seed(0)
    return make(config(**SHAPE)).eval()


def inputs(choices: int = 0) -> dict[str, torch.Tensor]:
    ids = torch.randint(5, 60, (3, choices, 9) if choices else (3, 9))
    mask = torch.ones_like(ids)
    mask[1, ..., 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def outputs(model: Any, sample: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Any]:
    with torch.no_grad():
        found = model(**sample, output_hidden_states=True)
    return found.logits, found.hidden_states


@pytest.mark.parametrize(
    ("make", "config", "choices"),
    [
        (XLMRobertaForSequenceClassification, XLMRobertaConfig, 0),
        (BertForSequenceClassification, BertConfig, 0),
        (XLMRobertaForMultipleChoice, XLMRobertaConfig, 2),
    ],
)
def test_a_shortened_layer_gives_the_same_outputs(make: Any, config: Any, choices: int) -> None:
    one, sample = model(make, config), inputs(choices)
    logits, states = outputs(one, sample)
    with first_token_alone(one, sample) as shortened:
        assert shortened
        short_logits, short_states = outputs(one, sample)
    torch.testing.assert_close(short_logits, logits)
    assert [state.shape[1] for state in short_states] == [9, 9, 1]
    for state, short in zip(states, short_states, strict=True):
        torch.testing.assert_close(short, state[:, : short.shape[1]])
    assert [state.shape[1] for state in outputs(one, sample)[1]] == [9, 9, 9]


def test_heads_that_read_more_are_left_alone() -> None:
    with first_token_alone(model(XLMRobertaForTokenClassification), inputs()) as shortened:
        assert not shortened
    averaging = model(XLMRobertaForSequenceClassification)
    read = averaging.classifier.forward
    averaging.classifier.forward = lambda states: read(states.mean(1, keepdim=True))
    sample = inputs()
    before = outputs(averaging, sample)[0]
    with first_token_alone(averaging, sample) as shortened:
        assert not shortened
        torch.testing.assert_close(outputs(averaging, sample)[0], before)


@pytest.mark.parametrize(
    "architecture", [RemBertForSequenceClassification, MPNetForSequenceClassification]
)
def test_other_layers_are_traced_unchanged(architecture: Any) -> None:
    """RemBERT's give tuples, MPNet's attention has other parts."""
    other = model(architecture, architecture.config_class)
    assert drop_silent_heads(other) == 0
    with first_token_alone(other, inputs()) as shortened:
        assert not shortened


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_shortened_bundle_says_what_its_checkpoint_says(
    tiny_nli: Path, tmp_path: Path, runtime: Any
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    whole, short = tmp_path / "whole", tmp_path / "short"
    export(
        tiny_nli,
        whole,
        runtime=runtime,
        precision="fp32",
        options=ExportOptions(whole_last_layer=True),
    )
    export(tiny_nli, short, runtime=runtime, precision="fp32")
    one, other, checkpoint = (open_model(path) for path in (whole, short, tiny_nli))
    ids = np.array([[0, 9, 11, 2, 1], [0, 7, 2, 2, 8]], dtype=np.int64)
    mask = (ids != 1).astype(np.int64)
    last = f"hidden_states.{checkpoint.layers}"
    logits = checkpoint(ids, mask, ("logits",))["logits"]
    for bundle in (one, other):
        np.testing.assert_allclose(bundle(ids, mask, ("logits",))["logits"], logits, atol=1e-4)
    assert one(ids, mask, (last,))[last].shape == (2, 5, 64)
    with pytest.raises(ModelError, match="export with last_layer: whole"):
        other(ids, mask, (last,))
    full, less = (flops.operations(flops.of_directory(path), 2, 5) for path in (whole, short))
    width, feedforward = 64, int(read_config(tiny_nli)["intermediate_size"])
    assert full - less == 2 * 8 * (2 * width * width + 2 * 5 * width + 2 * width * feedforward)


def test_every_weight_of_a_shortened_layer_is_found(tiny_nli: Path) -> None:
    pair = graph.trace(
        load_checkpoint(tiny_nli), "onnxruntime", choices=False, precision="fp32", whole=False
    )
    assert [output.name for output in pair.program.graph.outputs][-1] == "hidden_states.1"
    found = groups(pair.program, named("xlm-roberta"))
    for layer in (0, 1):
        assert len(found[f"layer {layer} feed-forward"]) == 2
        assert len(found[f"layer {layer} attention"]) == 4


def test_a_head_without_names_for_its_labels_is_a_head(tiny_nli: Path, tmp_path: Path) -> None:
    unnamed = tmp_path / "unnamed"
    shutil.copytree(tiny_nli, unnamed)
    config = read_config(unnamed)
    del config["id2label"], config["label2id"]
    (unnamed / "config.json").write_text(json.dumps(config | {"num_labels": 3}))
    export(unnamed, tmp_path / "bundle", precision="fp32")
    bundle = open_model(tmp_path / "bundle")
    assert bundle.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    ids = np.array([[0, 9, 2]], dtype=np.int64)
    (logits,) = bundle(ids, np.ones_like(ids), ("logits",))["logits"]
    (expected,) = open_model(tiny_nli)(ids, np.ones_like(ids), ("logits",))["logits"]
    assert logits == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("task", "runtime", "last", "shortened"),
    [
        ("xnli", "onnxruntime", "first-token", True),
        ("xcopa", "openvino", "first-token", True),
        ("xnli", "onnxruntime", "whole", False),
        ("udpos", "onnxruntime", "first-token", False),
        ("xnli", "torch", "first-token", False),
        (None, "onnxruntime", "first-token", False),
    ],
)
def test_what_needs_the_last_layers_states_is_refused_ahead(
    task: str | None, runtime: Any, last: Any, shortened: bool
) -> None:
    precision: Any = "bf16" if runtime == "torch" else "fp32"
    stage = exporting.Config(
        name="b", stage="export", model="m", runtime=runtime, precision=precision, last_layer=last
    )
    made = exporting.check(stage, {"model": [Artifact("checkpoint", task=task)]})
    assert made.shortened == shortened
    retrieval = evaluating.Config(
        name="r", stage="evaluate", models=("b",), tasks=("tatoeba",), layer=-1
    )
    states = aligning.Config(name="a", stage="alignment", models=("b",))
    for check in (
        lambda bundle: evaluating.check(retrieval, {"models": [bundle]}),
        lambda bundle: aligning.check(states, {"models": [bundle]}),
    ):
        for bundle in (made, replace(made, external=True)):
            if shortened:
                with pytest.raises(StageInputError, match="set last_layer: whole on its export"):
                    check(bundle)
            else:
                check(bundle)


@pytest.mark.parametrize("layer", [-1, 1])
@pytest.mark.parametrize(
    "made",
    [
        Artifact("bundle", task="xnli", runtime="executorch"),
        Artifact("bundle", external=True, runtime="executorch", head=HeadFacts("classification")),
    ],
    ids=["of the recipe", "from outside"],
)
def test_a_bundle_that_has_the_heads_outputs_alone_is_refused_ahead(
    made: Artifact, layer: int
) -> None:
    retrieval = evaluating.Config(
        name="r", stage="evaluate", models=("b",), tasks=("tatoeba",), layer=layer
    )
    states = aligning.Config(name="a", stage="alignment", models=("b",))
    with pytest.raises(StageInputError, match="for ExecuTorch with a head has no hidden states"):
        evaluating.check(retrieval, {"models": [made]})
    with pytest.raises(StageInputError, match="for ExecuTorch with a head has no hidden states"):
        aligning.check(states, {"models": [made]})
    aligning.check(states, {"models": [replace(made, task=None, head=None)]})


def test_a_bundle_from_outside_is_known_to_be_shortened(tiny_bundle: Path) -> None:
    assert inspect(tiny_bundle, "bundle").shortened
