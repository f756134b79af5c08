"""Training: masking, lexical starts, exact resumption, adapters plain peft opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import options
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from compress.fuse.fuse import fuse
from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, TagExample
from recipes.errors import StageInputError
from recipes.stages import train as stage
from recipes.stages._shared.contract import Artifact
from transfer.encoded_rows.encoded import Encoder
from transfer.encoded_rows.formats.tagging import Tags
from transfer.encoded_rows.load_rows import load_rows
from transfer.errors import DivergedError, MethodError
from transfer.loop import batch_plan
from transfer.loop.fit import Settings, fit, last_checkpoint
from transfer.loop.types import TrainingData
from transfer.models import checkpoints
from transfer.models.heads import lm_head
from transfer.objectives import mlm
from transfer.registry import METHODS
from transfer.supervised.train_tasks import train_tasks
from transfer.text import lexical_init

EMBEDDED = DataSource("embedded")


def test_masking_keeps_its_rates_and_specials() -> None:
    ids = torch.randint(4, 99, (64, 128))
    ids[:, 0], ids[:, -1] = 0, 2
    pieces = mlm.Pieces.among(100, mask=99, special={0, 1, 2, 3})
    masked, labels = mlm.mask(ids, pieces, torch.Generator().manual_seed(1))
    chosen = labels != -100
    assert not chosen[:, 0].any() and not chosen[:, -1].any()
    assert abs(chosen.float().mean().item() - 0.15) < 0.02
    assert abs((masked[chosen] == 99).float().mean().item() - 0.8) < 0.04
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(masked[~chosen], ids[~chosen])
    again = mlm.mask(ids, pieces, torch.Generator().manual_seed(1))
    assert torch.equal(again[0], masked)


def test_special_tokens_of_another_layout_are_neither_masked_nor_drawn() -> None:
    """A BERT's: the mask is in the middle, and ordinary pieces are on both sides of it."""
    words = {f"w{n}": n for n in range(200)} | {"[PAD]": 200, "[UNK]": 201, "[MASK]": 202}
    tokenizer = Tokenizer(WordPiece(words | {"[SEP]": 203, "z": 204}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[MASK]", "[SEP]", "[unused1]"])
    pieces = mlm.Pieces.of(tokenizer)
    assert (pieces.mask, pieces.special.tolist()) == (202, [200, 201, 202, 203, 205])
    ids = torch.randint(0, 206, (64, 512))
    masked, labels = mlm.mask(ids, pieces, torch.Generator().manual_seed(1), rate=0.5)
    special = torch.isin(ids, pieces.special)
    assert (labels[special] == -100).all() and torch.equal(masked[special], ids[special])
    changed = masked[(masked != ids) & (masked != 202)]
    assert len(changed) > 500 and not torch.isin(changed, pieces.special).any()
    assert changed.min() < 10 and changed.max() == 204
    with pytest.raises(ModelError, match=r"no <mask> or \[MASK\], which masked LM puts"):
        mlm.Pieces.of(Tokenizer(WordPiece({"a": 0}, unk_token="a")))


def test_lexical_start_puts_translations_together() -> None:
    rng = np.random.default_rng(0)
    table = rng.standard_normal((20, 16)).astype(np.float32)
    # English words 5 to 8; 10 + k always translates 5 + k.
    pairs = []
    for n in range(60):
        words = sorted({5 + n % 4, 5 + (n // 4) % 4})
        pairs.append((0, [word + 5 for word in words], words))
    aligned = lexical_init.align(pairs, table)
    unit = aligned / np.linalg.norm(aligned, axis=1, keepdims=True)
    for word in range(5, 9):
        assert int((unit[5:9] @ unit[word + 5]).argmax()) == word - 5
    assert np.array_equal(aligned[5:9], table[5:9])  # English keeps its rows
    assert np.array_equal(aligned[15:], table[15:])  # unseen pieces keep theirs


class _Stop(Exception):
    """Stands in for a kill."""


def _fit(work: Path, *, stop_at: int | None = None) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))
    plan = batch_plan.plan([1] * 50, 5, 30, seed=1)

    def collate(batch: batch_plan.Batch) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(batch.seed)
        return {
            "x": torch.randn(5, 4, generator=generator),
            "y": torch.randint(0, 2, (5,), generator=generator),
        }

    done = 0

    def objective(module: Any, batch: dict[str, Any]) -> torch.Tensor:
        nonlocal done
        done += 1
        if stop_at is not None and done > stop_at:
            raise _Stop
        return torch.nn.functional.cross_entropy(module(batch["x"]), batch["y"])

    settings = Settings(1e-2, seed=1, compute="fp32", save_every=0)
    fit(model, TrainingData(plan, collate), objective, settings, work)
    return model.state_dict()


@pytest.mark.slow
def test_an_interrupted_training_ends_bit_equal(tmp_path: Path) -> None:
    whole = _fit(tmp_path / "whole")
    with pytest.raises(_Stop):
        _fit(tmp_path / "cut", stop_at=11)
    half = last_checkpoint(tmp_path / "cut")
    assert half is not None
    (tmp_path / "cut" / "checkpoint-999").mkdir()  # what a kill in mid-save leaves
    resumed = _fit(tmp_path / "cut")
    assert not (tmp_path / "cut" / "checkpoint-999").exists()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.slow
def test_bf16_reaches_an_objective_that_calls_parts_of_the_model(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
    seen: set[torch.dtype] = set()

    def objective(module: Any, batch: dict[str, Any]) -> torch.Tensor:
        hidden = module[0](batch["x"])
        seen.add(hidden.dtype)
        return module[1](hidden).float().mean()

    plan = batch_plan.plan([1] * 4, 2, 2, seed=1)
    for compute in ("bf16", "fp32"):
        settings = Settings(1e-3, seed=1, compute=compute)
        data = TrainingData(plan, lambda _: {"x": torch.ones(2, 4)})
        fit(model, data, objective, settings, tmp_path / compute)
        assert seen == {getattr(torch, {"bf16": "bfloat16", "fp32": "float32"}[compute])}
        seen.clear()


@pytest.mark.parametrize("stops", [False, True])
def test_a_training_whose_last_losses_are_not_numbers_is_refused(
    tmp_path: Path, stops: bool
) -> None:
    """The losses of a training of 200 steps and more are logged every ten steps."""
    model, done = torch.nn.Linear(2, 1), 0

    def objective(module: Any, batch: dict[str, Any]) -> torch.Tensor:
        nonlocal done
        done += 1
        loss = module(batch["x"]).pow(2).mean()
        return loss * float("nan") if done == 203 else loss

    plan = batch_plan.plan([1] * 50, 5, 400 if stops else 205, seed=1)
    data = TrainingData(plan, lambda batch: {"x": torch.randn(5, 2)})
    settings = Settings(1e-3, seed=1, compute="fp32")
    with pytest.raises(
        DivergedError, match=r"no longer finite after step 205; lower learning_rate"
    ):
        fit(model, data, objective, settings, tmp_path, after=lambda step: step == 205)


def test_a_diverging_training_says_what_to_lower(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)
    plan = batch_plan.plan([1] * 8, 2, 4, seed=1)
    with pytest.raises(DivergedError, match="lower learning_rate"):
        fit(
            model,
            TrainingData(plan, lambda batch: {"x": torch.ones(1, 1)}),
            lambda module, batch: module(batch["x"]).sum() * float("nan"),
            Settings(1.0, seed=1, compute="fp32"),
            tmp_path,
        )


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "nf4"])
def test_an_adapter_trains_on_a_base_of_any_precision(
    tiny_base: Path, tmp_path: Path, precision: Any
) -> None:
    trained = train_tasks(
        tiny_base,
        [TASKS.get("xnli")],
        EMBEDDED,
        options(precision=precision, embeddings="bf16"),
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    assert trained.fitted.steps == 2 and trained.fitted.final_loss > 0
    assert trained.summary["trained parameters"] > 0
    facts = json.loads((tmp_path / "out" / "training.json").read_text())
    assert facts["base_precision"] == precision and facts["embeddings"] == "bf16"
    whole, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
    before = checkpoints.memory(whole)
    embeddings = float(trained.summary["base embeddings MB"])
    others = float(trained.summary["base other weights MB"])
    assert embeddings == pytest.approx(before["embeddings MB"] / 2, abs=1e-3)
    # 87% of the other weights are linear; int8 takes a quarter of fp32 for them, NF4 an eighth.
    share = {"fp32": 1.0, "bf16": 0.5, "int8": 0.36, "nf4": 0.246}[precision]
    assert others == pytest.approx(before["other weights MB"] * share, rel=0.05)


def test_an_adapter_opens_in_plain_peft_with_equal_logits(tiny_base: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForTokenClassification

    from evalsuite.tasks import udpos

    train_tasks(
        tiny_base,
        [TASKS.get("udpos")],
        EMBEDDED,
        options(max_steps=3),
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    labels = len(udpos.TASK.labels)

    def opened() -> Any:
        base = AutoModelForTokenClassification.from_pretrained(tiny_base, num_labels=labels)
        return PeftModel.from_pretrained(base, tmp_path / "out").eval()

    rows = load_rows(TASKS.get("udpos"), EMBEDDED, tiny_base, 32, max_examples=4)
    batch = rows.collate(batch_plan.Batch(0, (0, 1, 2), 0))
    batch.pop("labels")
    fuse(tmp_path / "out", TASKS.get("udpos"), tmp_path / "fused")
    fused = AutoModelForTokenClassification.from_pretrained(tmp_path / "fused").eval()
    adapter = opened()
    with torch.inference_mode():
        logits = adapter(**batch).logits
        assert torch.allclose(logits, fused(**batch).logits, atol=1e-5)  # head included
        with adapter.disable_adapter():
            assert not torch.allclose(logits, adapter(**batch).logits, atol=1e-3)


def test_several_tasks_give_the_encoder_and_keep_their_heads(
    tiny_base: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file
    from transformers import AutoModel

    train_tasks(
        tiny_base,
        [TASKS.get("xnli"), TASKS.get("panx")],
        EMBEDDED,
        options(method="full", max_steps=4),
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    assert type(AutoModel.from_pretrained(tmp_path / "out")).__name__ == "XLMRobertaModel"
    heads = load_file(tmp_path / "out" / "heads.safetensors")
    assert {name.split(".")[0] for name in heads} == {"xnli", "panx"}


@pytest.mark.parametrize("method", ["full", "last_k", "bitfit"])
@pytest.mark.parametrize("precision", ["nf4", "int8", "bf16"])
def test_weights_in_few_bits_are_not_trained_themselves(method: str, precision: str) -> None:
    with pytest.raises(MethodError, match="use method: lora"):
        METHODS.get(method).prepare(None, "pair", precision)
    config = stage.Config(
        name="t", stage="train", model="m", tasks=("xnli",), method=method, precision=precision
    )
    with pytest.raises(StageInputError, match="precision: fp32"):
        stage.check(config, {"model": [Artifact("checkpoint")]})


def test_masked_text_needs_word_embeddings_in_fp32(tiny_base: Path) -> None:
    for held in ("bf16", "int8"):
        config = stage.Config(
            name="t", stage="train", model="m", tasks=("xnli",), method="lora", mlm=0.2,
            embeddings=held,
        )  # fmt: skip
        with pytest.raises(StageInputError, match=f"held in {held}; set embeddings: fp32"):
            stage.check(config, {"model": [Artifact("checkpoint")]})
    model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
    checkpoints.hold_embeddings(model, "int8")
    with pytest.raises(MethodError, match="held in fewer bits; set embeddings: fp32"):
        lm_head(model, tiny_base)


def test_a_part_of_a_sentence_in_which_no_word_starts_is_no_row(tiny_base: Path) -> None:
    examples = [TagExample("1", ("a", "unbelievable" * 12, "b"), ("DET", "X", "NOUN"))]
    encoder = Encoder(tokenization.load(tiny_base), 1, 12)
    rows = Tags(TASKS.get("udpos"), examples, encoder)
    parts = [list(item.words) for item in encoder(TASKS.get("udpos"), examples)]
    assert any(all(word < 0 for word in part) for part in parts)
    assert [words for _, words in rows.words] == [p for p in parts if max(p) >= 0]
    assert len(rows.ids) == len(rows.targets) == len(rows.words)
    assert {word for _, words in rows.words for word in words} == {-1, 0, 1, 2}


def test_training_lowers_the_loss(tiny_base: Path, tmp_path: Path) -> None:
    trained = train_tasks(
        tiny_base,
        [TASKS.get("udpos")],
        EMBEDDED,
        options(method="full", max_steps=40, max_examples=None),
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    assert trained.fitted.final_loss < 1.5  # 17 labels: 2.83 where nothing is learnt


@pytest.mark.parametrize("name", ["full", "lora"])
@pytest.mark.parametrize("tasks", [("udpos",), ("udpos", "xnli")], ids=["one", "two"])
def test_activations_computed_anew_give_the_same_weights(
    name: str, tasks: tuple[str, ...], tiny_base: Path, tmp_path: Path
) -> None:
    losses = []
    for again in (False, True):
        settings = Settings(1e-2, seed=1, compute="fp32", gradient_checkpointing=again)
        own = options(method=name, settings=settings, method_options={})
        work, out = tmp_path / f"work-{again}", tmp_path / f"out-{again}"
        found = train_tasks(
            tiny_base, [TASKS.get(t) for t in tasks], EMBEDDED, own, work=work, out=out
        )
        losses.append(found.fitted.final_loss)
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_any_task_follows_any_other(tiny_base: Path, tmp_path: Path) -> None:
    """transformers leaves what it found out of one head in a config, and refuses the next by it."""
    quick, model = options(method="full"), tiny_base
    for number, name in enumerate(("xnli", "xcopa", "udpos", "xquad", "xnli")):
        out = tmp_path / str(number)
        train_tasks(
            model, [TASKS.get(name)], EMBEDDED, quick, work=tmp_path / f"w{number}", out=out
        )
        assert open_model(out).labels == TASKS.get(name).labels
        model = out
