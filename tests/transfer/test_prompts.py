"""Prompts: the prefix reaches every layer, and peft alone opens what is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adapters import batch, config_of, inputs, logits, plain, resumes_exactly, trained
from quick import options
from safetensors.torch import load_file
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import MethodError
from transfer.methods._prompts import prefix_states
from transfer.models import checkpoints
from transfer.registry import METHODS
from transfer.supervised.dev_scores import _Live
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
PROMPTS = ("soft_prompt", "deep_prompt")
_SHAPES = {"base": (12, 768, 12, 3072), "large": (24, 1024, 16, 4096)}


def untrained(shape: tuple[int, int, int, int], device: str = "cpu", **changes: Any) -> Any:
    """A classifier with random weights, none of them read from a file."""
    layers, width, heads, ffn = shape
    config = XLMRobertaConfig(
        vocab_size=250002 if device == "meta" else 120,
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=heads,
        intermediate_size=ffn,
        max_position_embeddings=514 if device == "meta" else 64,
        type_vocab_size=1,
        num_labels=3,
        **changes,
    )
    torch.manual_seed(0)
    with torch.device(device):
        return XLMRobertaForSequenceClassification(config)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_prefix_of_a_layer_reaches_that_layer_and_no_earlier_one(
    attention: str, training: bool
) -> None:
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = untrained((5, 32, 4, 32), attn_implementation=attention, **dropout)
    wrapped = METHODS.get("deep_prompt").prepare(model, "pair", "fp32", length=3).train(training)
    ids = torch.randint(4, 100, (2, 9))
    mask = torch.ones_like(ids)
    ids[1, 6:], mask[1, 6:] = 1, 0
    hidden: dict[int, torch.Tensor] = {}
    for index, layer in enumerate(model.roberta.encoder.layer):
        layer.register_forward_hook(
            lambda module, args, output, index=index: hidden.__setitem__(
                index, (output[0] if isinstance(output, tuple) else output).detach().clone()
            )
        )

    def run() -> dict[int, torch.Tensor]:
        with torch.no_grad():
            wrapped(input_ids=ids, attention_mask=mask)
        return dict(hidden)

    table = wrapped.prompt_encoder["default"].embedding.weight
    before = run()
    assert before[0].shape == (2, 9, 32)
    for changed in range(5):
        for part in (0, 1):  # keys, then values
            kept = table.data.clone()
            table.data.view(3, 5, 2, 32)[:, changed, part] += torch.randn(3, 32)
            after = run()
            table.data.copy_(kept)
            for layer in range(5):
                moved = (after[layer] - before[layer]).abs().amax(-1)[mask.bool()]
                if layer < changed:
                    assert moved.max() == 0
                else:
                    assert moved.min() > 1e-6  # every real token


def test_every_layers_prefix_is_trained() -> None:
    wrapped = METHODS.get("deep_prompt").prepare(
        untrained((5, 32, 4, 32)), "pair", "fp32", length=3
    )
    ids = torch.randint(4, 100, (2, 9))
    said = wrapped(input_ids=ids, attention_mask=torch.ones_like(ids), labels=torch.tensor([0, 1]))
    said.loss.backward()
    gradient = wrapped.prompt_encoder["default"].embedding.weight.grad.view(3, 5, 2, 32)
    assert (gradient.abs().amax((0, 3)) > 0).all()


@pytest.mark.parametrize("size", _SHAPES)
@pytest.mark.parametrize("length", [16, 32])
def test_a_prefix_is_a_thousandth_to_half_a_hundredth(size: str, length: int) -> None:
    model = untrained(_SHAPES[size], "meta")
    total = sum(p.numel() for p in model.parameters())
    wrapped = METHODS.get("deep_prompt").prepare(model, "pair", "fp32", length=length)
    moved = {n: p.numel() for n, p in wrapped.named_parameters() if p.requires_grad}
    prompt = sum(count for name, count in moved.items() if "classifier" not in name)
    assert prompt == length * 2 * _SHAPES[size][0] * _SHAPES[size][1]
    assert 0.001 <= prompt / total <= 0.005
    assert any("classifier" in name for name in moved)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "nf4"])
@pytest.mark.parametrize("task", ["xnli", "udpos", "xquad"])
@pytest.mark.parametrize("name", PROMPTS)
def test_peft_alone_opens_a_prompt_head_included(
    tiny_base: Path, tmp_path: Path, name: str, task: str, precision: Any
) -> None:
    model = trained(tiny_base, TASKS.get(task), name, tmp_path, precision, length=4)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert {n for n in saved if "classifier" not in n and "qa_outputs" not in n} == {
        "prompt_embeddings"
    }
    assert len(saved) > 1  # the head
    rows = batch(TASKS.get(task), tiny_base)
    said, again = (
        logits(model, rows),
        logits(plain(tiny_base, TASKS.get(task), tmp_path, precision), rows),
    )
    real = rows["attention_mask"].bool()
    if task != "xnli":  # peft answers for virtual tokens too
        assert again.shape[1] == real.shape[1] + (4 if name == "soft_prompt" else 0)
        said, again = said[real], again[:, -real.shape[1] :][real]
    assert torch.allclose(said, again, atol=1e-5)
    assert config_of(tmp_path)["num_virtual_tokens"] == 4


@pytest.mark.parametrize("name", PROMPTS)
def test_padding_changes_nothing(tiny_base: Path, name: str) -> None:
    model, _ = checkpoints.load(tiny_base, TASKS.get("udpos"))
    wrapped = METHODS.get(name).prepare(model, "tagging", "fp32", length=4).eval()
    rows = batch(TASKS.get("udpos"), tiny_base)
    together = logits(wrapped, rows)
    for index, mask in enumerate(rows["attention_mask"]):
        alone = {n: v[index : index + 1, : int(mask.sum())] for n, v in inputs(rows).items()}
        assert torch.allclose(
            logits(wrapped, alone)[0], together[index, : int(mask.sum())], atol=1e-5
        )


@pytest.mark.parametrize("name", PROMPTS)
def test_dev_rows_leave_places_for_the_prompt(tiny_base: Path, name: str) -> None:
    task = TASKS.get("xnli")
    model, _ = checkpoints.load(tiny_base, task)
    plain = _Live(tiny_base, model, task, None).max_length
    wrapped = METHODS.get(name).prepare(model, "pair", "fp32", length=4).eval()
    live = _Live(tiny_base, wrapped, task, None)
    assert live.max_length == plain - 4
    ids = np.full((1, live.max_length), 9)
    assert live(ids, np.ones_like(ids), ("logits",))["logits"].shape == (1, 3)


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("tasks", [["udpos"], ["xquad"], ["lareqa"], ["xnli", "panx", "xcopa"]])
def test_prompts_are_trained_on_tasks(
    tiny_base: Path, tmp_path: Path, name: str, tasks: list[str]
) -> None:
    quick = options(
        method=name, max_steps=6, max_length=40, method_options={"length": 4, "max_length": 40}
    )
    found = [TASKS.get(task) for task in tasks]
    said = train_tasks(tiny_base, found, EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    assert said.fitted.final_loss > 0
    saved = load_file(tmp_path / "o" / "adapter_model.safetensors")
    assert saved["prompt_embeddings"].shape == ((4, 64) if name == "soft_prompt" else (4, 256))


@pytest.mark.parametrize("rows", [1, 5, 17])
@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize(
    ("labels", "problem"), [(1, "regression"), (2, "multi_label_classification")]
)
def test_labels_of_rows_are_read_as_they_are(
    name: str, labels: int, problem: str, rows: int
) -> None:
    """In batches of 1 and of one more row than the prompt has tokens, too."""
    torch.manual_seed(0)
    shape = {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 32}
    config = XLMRobertaConfig(
        **shape,
        num_attention_heads=2,
        max_position_embeddings=64,
        num_labels=labels,
        problem_type=problem,
    )
    model = XLMRobertaForSequenceClassification(config)
    wrapped = METHODS.get(name).prepare(model, "pair", "fp32", length=16).eval()
    ids = torch.randint(4, 90, (rows, 9))
    gold = torch.randint(0, 2, (rows, labels)).float()
    said = wrapped(input_ids=ids, attention_mask=torch.ones_like(ids), labels=gold)
    of_row = torch.nn.functional.binary_cross_entropy_with_logits
    loss = torch.nn.functional.mse_loss if labels == 1 else of_row
    assert said.loss.item() == pytest.approx(loss(said.logits, gold).item(), rel=1e-5)


@pytest.mark.parametrize("task", ["xnli", "udpos"])
def test_masked_text_is_read_through_a_prefix(tiny_base: Path, tmp_path: Path, task: str) -> None:
    model, _ = checkpoints.load(tiny_base, TASKS.get("udpos"))
    wrapped = METHODS.get("deep_prompt").prepare(model, "tagging", "fp32", length=4).eval()
    rows = inputs(batch(TASKS.get("udpos"), tiny_base))
    with torch.no_grad():
        states = wrapped(**rows, output_hidden_states=True).hidden_states
        found = prefix_states(wrapped, **rows)
    assert all(torch.equal(one, two) for one, two in zip(states, found, strict=True))
    quick = options(
        method="deep_prompt",
        max_length=40,
        method_options={"length": 4},
        masked=MaskedText(share=0.5, languages=("de",), lines=50),
    )
    where = {"work": tmp_path / "w", "out": tmp_path / "o"}
    said = train_tasks(tiny_base, [TASKS.get(task)], EMBEDDED, quick, **where)
    assert said.fitted.final_loss > 0


@pytest.mark.parametrize("name", PROMPTS)
def test_training_a_prompt_lowers_the_loss(tiny_base: Path, tmp_path: Path, name: str) -> None:
    from transfer.loop.fit import Settings

    quick = options(
        method=name,
        max_steps=60,
        max_examples=None,
        settings=Settings(2e-2, seed=1, compute="fp32"),
        method_options={"length": 4},
    )
    trained_ = train_tasks(
        tiny_base, [TASKS.get("udpos")], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o"
    )
    assert trained_.fitted.final_loss < 2.0  # 17 labels: 2.83 where nothing is learnt


@pytest.mark.parametrize("name", PROMPTS)
def test_a_killed_training_ends_as_an_undisturbed_one(
    tiny_base: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumes_exactly(tiny_base, tmp_path, monkeypatch, name, length=4)


@pytest.mark.parametrize("name", PROMPTS)
def test_what_cannot_be_is_refused(tiny_base: Path, name: str) -> None:
    chosen: Any = METHODS.get(name)
    with pytest.raises(MethodError, match="no prompts for multiple-choice tasks"):
        chosen.check("choice", "fp32")
    model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
    with pytest.raises(MethodError, match="64 positions; set max_length: 60 or less"):
        chosen.prepare(model, "pair", "fp32", length=4, max_length=61)
    if name == "deep_prompt":
        with pytest.raises(MethodError, match=r"gradient_checkpointing: .* the prefix"):
            chosen.check("pair", "fp32", gradient_checkpointing=True)
