"""Bundles for torch: bf16, int8 and NF4 checkpoints that plain transformers opens as they are."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from heads import bundle_card, example_of, headed, run_script

from compress.errors import GateError
from compress.export.export import export
from compress.export.registry import EXPORTERS
from evalsuite.bench.measure import Subject, measure
from evalsuite.errors import ModelError
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import modules, open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.probe_text import Probe
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import held_in
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.planning.external_models import inspect
from recipes.stages._shared.contract import Artifact
from recipes.stages.export import Config, check
from recipes.stages.train import Config as Training
from recipes.stages.train import check as check_training

EMBEDDED = DataSource("embedded")
PROBE = Probe(TASKS.get("xnli"), EMBEDDED, 4)
LINE = "A man is reading.\tNobody reads."


@pytest.fixture(scope="module")
def spread(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair model whose outputs spread."""
    return headed(tiny_base, "pair", tmp_path_factory.mktemp("spread"))


@pytest.fixture(scope="module")
def bundles(spread: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made: dict[str, Path] = {}
    for precision in EXPORTERS.get("torch").precisions:
        made[precision] = tmp_path_factory.mktemp(precision) / "out"
        result, _ = export(
            spread,
            made[precision],
            runtime="torch",
            precision=precision,
            probe=PROBE,
            min_agreement=85.0,
        )
        assert result is not None and 0 < result.maximum < 0.5 * result.scale
        assert len(result.by_language) > 5
        assert model_size.sizes(made[precision])[0] < 0.52 * model_size.sizes(spread)[0]
    return made


def test_plain_transformers_opens_them_in_their_precision(
    spread: Path, bundles: dict[str, Path]
) -> None:
    from transformers import AutoModelForSequenceClassification

    ids = torch.tensor([[0, 9, 11, 40, 2]])
    whole = AutoModelForSequenceClassification.from_pretrained(spread).eval()
    sizes = {}
    for precision, bundle in bundles.items():
        model = AutoModelForSequenceClassification.from_pretrained(bundle).eval()
        layer = model.roberta.encoder.layer[0].attention.self.query.weight
        kinds = {"bf16": torch.bfloat16, "int8": torch.int8, "nf4": torch.uint8}
        assert layer.dtype == kinds[precision]
        for kept in (model.classifier.dense.weight, model.get_input_embeddings().weight):
            assert kept.dtype == torch.bfloat16
        with torch.inference_mode():
            found = model(input_ids=ids).logits.float()
            logits = whole(input_ids=ids).logits
        assert 0 < (found - logits).abs().max() < 0.2 * logits.abs().max() + 0.05
        sizes[precision] = model_size.sizes(bundle)[0]
        assert not list(bundle.glob("*.bin"))
    assert sizes["nf4"] < sizes["int8"] < sizes["bf16"]


def test_they_say_what_they_are(spread: Path, bundles: dict[str, Path]) -> None:
    counts = model_size.parameter_counts(spread)
    for precision, bundle in bundles.items():
        opened = open_model(bundle)
        info = opened.describe("b")
        assert (info.runtime, info.precision) == ("torch", precision)
        assert (info.parameters, info.embedding_parameters) == counts
        card = json.loads((bundle / "bundle.json").read_text())
        assert (card["parameters"], card["embedding_parameters"]) == counts
        assert card["runtime"] == "torch" and card["file"] == "model.safetensors"
        assert ("bitsandbytes" in modules(bundle)) == (precision != "bf16")
        text = (bundle / "README.md").read_text(encoding="utf-8")
        needed = "`torch` and `transformers`" + (
            " and `bitsandbytes`" if precision != "bf16" else ""
        )
        assert f"Runs with {needed}, from this directory" in text
        assert str(bundle) not in text
        listed = {line.split("  ")[1] for line in (bundle / "SHA256SUMS").read_text().splitlines()}
        assert listed == {path.name for path in bundle.iterdir()} - {"SHA256SUMS"}


def test_predict_evaluate_and_benchmark_run_them(bundles: dict[str, Path], tmp_path: Path) -> None:
    bundle = bundles["nf4"]
    (said,) = predict_lines(bundle, [LINE])
    assert math.isclose(sum(said["scores"].values()), 1, abs_tol=1e-4)
    result = evaluate(
        open_model(bundle),
        TASKS.get("xnli"),
        EMBEDDED,
        label="nf4",
        out=tmp_path,
        options=EvaluationOptions(languages=("en", "de"), max_examples=4),
    )
    assert result.model.precision == "nf4"
    assert set(result.metrics[result.main_metric]) == {"en", "de"}
    (speed,) = measure(
        [Subject(bundle, {"en": [[0, 9, 11, 2]] * 3}, "nf4", "made up")],
        source="embedded",
        threads=1,
        passes=1,
        latency_samples=2,
        batch_sizes=(1,),
        lengths=(8,),
        peak_sizes=(256,),
    )
    assert (speed.model.runtime, speed.model.precision) == ("torch", "nf4")


def test_the_cards_example_runs(bundles: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which has imported torch and transformers."""
    bundle = bundles["bf16"]
    assert "logits=tensor" in run_script(bundle, example_of(bundle), monkeypatch)
    for head, kind in (
        ("tagging", "ForTokenClassification"),
        ("span", "ForQuestionAnswering"),
        ("choice", "ForMultipleChoice"),
        (None, ".from_pretrained"),
    ):
        example = EXPORTERS.get("torch").example(bundle_card(head, "nf4", "torch"))
        compile(example, kind, "exec")
        assert f"AutoModel{kind}" in example


def test_a_copy_cut_short_is_refused(bundles: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundles["int8"], copy)
    data = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[:-10])
    with pytest.raises(ModelError, match=r"incomplete: model\.safetensors has "):
        open_model(copy)


def test_the_gate_stops_one_and_says_where(tiny_base: Path, tmp_path: Path) -> None:
    tagger = headed(tiny_base, "tagging", tmp_path / "tagger")
    with pytest.raises(GateError) as stopped:
        export(
            tagger,
            tmp_path / "out",
            runtime="torch",
            precision="nf4",
            probe=Probe(TASKS.get("panx"), EMBEDDED, 4),
            min_agreement=100.0,
        )
    said = str(stopped.value)
    assert said.startswith("nf4 export: ") and "drift of hidden states" in said
    assert said.endswith("lower min_agreement, or export in another precision")


def config(**keys: Any) -> Config:
    return Config.model_validate(
        {"name": "e", "stage": "export", "model": "./m", "runtime": "torch"} | keys
    )


def test_the_stage_gives_a_bundle_and_refuses_what_does_not_fit() -> None:
    inputs = {"model": (Artifact("checkpoint", "xnli"),)}
    for precision in EXPORTERS.get("torch").precisions:
        gives = check(config(precision=precision), inputs)
        assert (gives.kind, gives.task, gives.runtime) == ("bundle", "xnli", "torch")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"precision": "fp32"}, "precision: torch has no fp32, only bf16, int8, nf4; for fp32 set"),
        ({"precision": "nf4", "runtime": "openvino"}, "for nf4 set runtime: torch"),
        (
            {"precision": "nf4", "embeddings": "int8"},
            "torch nf4 takes no such key; for int8 set",
        ),
        ({"precision": "int8", "exclude": "auto"}, "exclude: only for runtime: onnxruntime"),
    ]
    for keys, said in refused:
        with pytest.raises(StageInputError, match=said):
            check(config(**keys), inputs)


def test_what_is_held_in_few_bits_is_no_checkpoint_to_train(
    bundles: dict[str, Path],
) -> None:
    found = inspect(bundles["nf4"], "./nf4")
    assert (found.kind, found.runtime, found.external) == ("bundle", "torch", True)
    assert inspect(bundles["bf16"], "./bf16").kind == "checkpoint"
    train = Training.model_validate(
        {"name": "t", "stage": "train", "model": "./nf4", "tasks": ["xnli"]}
    )
    with pytest.raises(StageInputError, match="needs a checkpoint, is given a bundle"):
        check_training(train, {"model": (found,)})
    assert held_in(read_config(bundles["int8"])) == "int8"
    assert held_in({"quantization_config": {"quant_method": "gptq"}}) == "gptq"
    assert held_in({}) is None
