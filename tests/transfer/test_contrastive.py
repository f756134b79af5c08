"""Languages aligned by contrast: partners meet at the chosen layer, by its adapter alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from quick import options
from safetensors.torch import load_file
from transformers import AutoModel

from compress.fuse.fuse import fuse
from evalsuite import tokenization
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import train as training
from recipes.stages._shared.contract import HELD_OUT, PARALLEL, Artifact
from transfer.contrastive import align, contrast_loss, read_pairs
from transfer.errors import MethodError
from transfer.loop.batch_plan import padded
from transfer.loop.fit import Settings
from transfer.models.adapters import open_adapter
from transfer.objectives.sentence_vectors import SentenceVectors

EMBEDDED = DataSource("embedded")


class Lookup:
    """A model whose hidden states at layer k are k times a row of a table."""

    def __init__(self, table: torch.Tensor) -> None:
        self.table = table

    def __call__(self, input_ids: torch.Tensor, **rest: Any) -> Any:
        states = tuple(layer * self.table[input_ids] for layer in range(3))
        return type("Output", (), {"hidden_states": states})()


def test_the_loss_is_low_where_partners_are_found_and_equal_ones_are_no_negatives() -> None:
    table = torch.eye(8)
    table[4:] = table[:4]  # 4 + k translates k

    def loss(foreign: list[int], english: list[int]) -> float:
        sides = {"foreign": [[i] for i in foreign], "english": [[i] for i in english]}
        batch = {name: padded(ids, 1) for name, ids in sides.items()}
        return float(contrast_loss(Lookup(table), batch, layer=2))

    assert loss([4, 5, 6], [0, 1, 2]) < 1e-6 < 10 < loss([4, 5, 6], [1, 2, 0])
    assert loss([4, 5, 4], [0, 1, 0]) < 1e-6  # a pair that is there twice


def test_pairs_of_words_and_of_sentences() -> None:
    words = read_pairs(EMBEDDED, "words", ("de",))
    assert len(words) > 20 and all(" " not in side for pair in words for side in pair)
    some = read_pairs(EMBEDDED, "sentences", ("de", "sw"), 50)
    assert 60 < len(some) <= 100 and words == sorted(set(words))


@pytest.mark.parametrize("what", ["words", "sentences"])
def test_of_each_language_as_many_pairs_are_drawn(what: Any) -> None:
    every = {code: read_pairs(EMBEDDED, what, (code,)) for code in ("de", "sw")}
    some = read_pairs(EMBEDDED, what, ("de", "sw"), most=20, seed=1)
    assert len(some) == 40
    assert [sum(pair in pairs for pair in some) for pairs in every.values()] == [20, 20]
    assert not set(every["de"][:20]) <= set(some)  # drawn from all
    assert some == read_pairs(EMBEDDED, what, ("de", "sw"), most=20, seed=1)
    assert some != read_pairs(EMBEDDED, what, ("de", "sw"), most=20, seed=2)


@pytest.mark.parametrize("what", ["words", "sentences"])
def test_alignment_at_a_layer_rises_and_layers_above_keep_their_weights(
    tiny_base: Path, tmp_path: Path, what: Any
) -> None:
    quick = options(
        max_steps=60,
        epochs=100,
        batch_size=32,
        languages=("en", "de"),
        max_examples=None,
        settings=Settings(5e-3, seed=1, compute="fp32"),
        method_options={"rank": 8, "adapter_layers": (1,), "targets": "all-linear", "dropout": 0.0},
    )
    out = tmp_path / "out"
    found = align(tiny_base, EMBEDDED, what, quick, work=tmp_path / "work", out=out)
    assert found.summary["compared at layer"] == 1 and int(found.summary["pairs"]) > 20
    names = load_file(out / "adapter_model.safetensors")
    assert names and all(".layer.0." in name for name in names)
    fuse(out, None, tmp_path / "fused")
    pairs = read_pairs(EMBEDDED, what, ("de",))[:100]

    def loss(directory: Path) -> float:
        model = AutoModel.from_pretrained(directory).eval()
        tokenizer = tokenization.load(directory)
        sides = [
            padded([tokenizer.encode(line).ids[:32] for line in lines], 1)
            for lines in zip(*pairs, strict=True)
        ]
        with torch.inference_mode():
            return float(contrast_loss(model, {"foreign": sides[0], "english": sides[1]}, 1))

    assert loss(tmp_path / "fused") < 0.7 * loss(tiny_base)
    live = open_adapter(out, None)
    ids = padded([[0, 9, 10, 2]], 1)
    numbers = (ids["input_ids"].numpy(), ids["attention_mask"].numpy())
    with torch.inference_mode():
        fused = AutoModel.from_pretrained(tmp_path / "fused").eval()(**ids).last_hidden_state
    last = live(*numbers, ("hidden_states.2",))["hidden_states.2"]
    assert torch.allclose(torch.from_numpy(last), fused, atol=1e-4)


def config(**changes: Any) -> Any:
    """A train stage without tasks."""
    given = {"name": "t", "stage": "train", "model": "m", "contrastive": "words", **changes}
    return training.Config.model_validate(given)


def test_a_recipe_says_tasks_or_contrastive() -> None:
    base = {"model": (Artifact("checkpoint"),)}
    gives = training.check(config(adapter_layers=[1]), base)
    assert gives == Artifact("adapter") and set(training.data(config(), gives)) == {
        PARALLEL,
        HELD_OUT,
    }
    with pytest.raises(ValueError, match="parallel text is trained on alone"):
        config(tasks=["xnli"])
    with pytest.raises(ValueError, match="or contrastive: words or sentences"):
        config(contrastive=None)
    for key in ("uncased", "code_switch", "noise"):
        (problem,) = training.unused_keys(config(**{key: 0.5}))
        assert f"{key} change the training of tasks and" in problem


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"contrastive": "sentences", "quantize_aware": "int8"}, "contrastive: quantize_aware"),
        ({"mixing": "uniform", "cap": None}, "contrastive: mixing change"),
        ({"mlm_languages": ["de"], "mlm_lines": 5}, "contrastive: mlm_languages, mlm_lines"),
        ({"contrastive": "sentences", "passage_prefix": "p: "}, "parallel text has no passages"),
        ({"contrastive": "sentences", "passage_prefix": ""}, "parallel text has no passages"),
    ],
)
def test_keys_that_parallel_text_does_not_use_are_refused(
    keys: dict[str, Any], message: str
) -> None:
    written = config(method="full", **keys)
    (problem,) = training.unused_keys(written)
    assert message in problem
    training.check(written, {"model": (Artifact("checkpoint"),)})  # a variant may have them


def aligned(base: Path, place: Path, what: Any, **changes: Any) -> Any:
    """Alignment of one step, with every weight trained."""
    quick = options(method="full", max_steps=1, languages=("de",), **changes)
    return align(base, EMBEDDED, what, quick, max_pairs=200, work=place / "w", out=place / "o")


def test_words_are_compared_as_asked(tiny_base: Path, tmp_path: Path) -> None:
    ways = [
        SentenceVectors(),
        SentenceVectors("mean"),
        SentenceVectors("cls"),
        SentenceVectors(temperature=0.5),
    ]
    losses = [
        aligned(tiny_base, tmp_path / str(n), "words", vectors=way, method_options={}).fitted
        for n, way in enumerate(ways)
    ]
    plain, mean, cls, warm = (fitted.final_loss for fitted in losses)
    assert plain == mean and len({mean, cls, warm}) == 3


def test_longer_sentences_are_cut_to_what_the_model_reads(tiny_base: Path, tmp_path: Path) -> None:
    place = tmp_path / "corpus" / "parallel"
    place.mkdir(parents=True)
    rows = [f"{'word ' * 200}{n}.\t{'wort ' * 200}{n}.\tx\n" for n in range(20)]
    (place / "de.tsv").write_text("".join(rows), encoding="utf-8")
    (tmp_path / "xtreme").mkdir()
    source = DataSource("xtreme", tmp_path / "xtreme")
    long = options(method="full", max_steps=1, max_length=128, method_options={})
    where = {"work": tmp_path / "w", "out": tmp_path / "o"}
    said = align(tiny_base, source, "sentences", long, **where).summary
    assert said["longest sequence"] == "64 tokens, the model's limit; max_length asks for 128"


def test_a_layer_that_the_model_lacks_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    for method in ("full", "lora"):
        asked = options(method=method, method_options={"adapter_layers": (1, 9)})
        with pytest.raises(MethodError, match=r"adapter_layers: 9, .* layers 1 to 2"):
            align(tiny_base, EMBEDDED, "words", asked, work=tmp_path / "w", out=tmp_path / "o")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"init": "pissa", "precision": "nf4"}, "init: loftq with precision: nf4"),
        ({"init": "loftq"}, "needs precision: nf4"),
        ({"dora": True, "precision": "int8"}, "use precision: nf4"),
        ({"method": "bitfit", "precision": "nf4"}, "method: bitfit trains the base's own weights"),
        ({"method": "last_k"}, "needs last"),
        ({"method": "soft_prompt", "tasks": ["xcopa"]}, "no prompts for multiple-choice tasks"),
        ({"method": "deep_prompt", "gradient_checkpointing": True}, "does not use cached keys"),
        ({"method": "bitfit", "embeddings": "bf16"}, "is for adapters"),
        ({"method": "prefix"}, "deep_prompt"),
    ],
)
def test_methods_refuse_at_check(keys: dict[str, Any], message: str) -> None:
    given = {"tasks": ["xnli"], "contrastive": None, **keys}
    with pytest.raises(StageInputError, match=message):
        training.check(config(**given), {"model": (Artifact("checkpoint"),)})


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("full", "checkpoint"),
        ("bitfit", "checkpoint"),
        ("last_k", "checkpoint"),
        ("lora", "adapter"),
        ("soft_prompt", "prompt"),
        ("deep_prompt", "prompt"),
    ],
)
def test_what_a_method_gives(method: str, kind: str) -> None:
    given = config(tasks=["xnli"], contrastive=None, method=method, last=2)
    gives = training.check(given, {"model": (Artifact("checkpoint"),)})
    assert gives == Artifact(kind, task="xnli")  # type: ignore[arg-type]
