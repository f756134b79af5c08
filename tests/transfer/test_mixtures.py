"""Mixtures: tasks by their sizes, languages, masked LM beside them or alone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from quick import options
from safetensors.torch import load_file, save_file

from evalsuite import tokenization
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.encoded_rows import masked_text
from transfer.encoded_rows.load_rows import load_rows
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import MethodError
from transfer.loop.mixing import shares
from transfer.models import heads
from transfer.objectives import mlm
from transfer.supervised import mixture
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


def trained(base: Path, names: list[str], work: Path, **changes: Any) -> Any:
    tasks = [TASKS.get(name) for name in names]
    quick = options(**changes)
    return train_tasks(base, tasks, EMBEDDED, quick, work=work / "work", out=work / "out")


def test_mixing_is_that_of_t5() -> None:
    sizes = [100, 400, 2500]
    assert shares(sizes) == [100 / 3000, 400 / 3000, 2500 / 3000]
    assert shares(sizes, 500, "capped") == [0.1, 0.4, 0.5]
    assert shares(sizes, mixing="temperature", temperature=2) == [10 / 80, 20 / 80, 50 / 80]
    assert shares(sizes, 400, "temperature", 2) == [0.2, 0.4, 0.4]
    assert shares(sizes, mixing="uniform") == [1 / 3] * 3


def test_languages_are_drawn_by_temperature_and_batches_are_of_one() -> None:
    sets = [[_Sized(90), _Sized(10)], [_Sized(50)]]
    for temperature, share in ((1.0, 0.1), (2.0, 0.25)):
        found = mixture.of_tasks(sets, [0.8, 0.2], temperature)
        assert [part.head for part in found] == [0, 0, 1]
        assert found[1].share == pytest.approx(0.8 * share)
        drawn = Counter(batch.part for batch in mixture.draw(found, 4, 1000, seed=1))
        assert drawn[1] / 1000 == pytest.approx(0.8 * share, abs=0.04)


class _Sized:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def lengths(self) -> list[int]:
        return [5] * self.count


def test_several_languages_train_together_or_by_temperature(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, load = type(TASKS.get("udpos")), type(TASKS.get("udpos")).load
    monkeypatch.setattr(
        task, "load", lambda self, source, split, code: load(self, source, "dev", code)
    )
    for temperature in (None, 2.0):
        place = tmp_path / str(temperature)
        quick = {"languages": ("en", "de"), "language_temperature": temperature}
        assert trained(tiny_base, ["udpos"], place, **quick).fitted.steps == 2
    rows = load_rows(
        TASKS.get("udpos"), EMBEDDED, tiny_base, 32, languages=("en", "de"), max_examples=64
    )
    assert len(rows) == 128  # of both


def test_masked_text_is_of_the_languages_asked_for(tiny_base: Path) -> None:
    from evalsuite import tokenization

    tokenizer = tokenization.load(tiny_base)
    seen = {}
    for languages, tlm in ((("en",), 0.0), (("ru",), 0.0), (("ru",), 1.0), (("ru", "en"), 0.0)):
        how = MaskedText(share=0.5, languages=languages, tlm=tlm, lines=100)
        rows = masked_text.load(EMBEDDED, tiny_base, how, max_length=48, count=60, seed=1)
        lines = [tokenizer.decode(ids) for ids in rows.ids]
        assert len(lines) == 60
        cyrillic = [any("а" <= letter <= "я" for letter in line.lower()) for line in lines]
        latin = [sum("a" <= letter <= "z" for letter in line.lower()) > 9 for line in lines]
        seen[languages, tlm] = sum(cyrillic) / 60, sum(latin) / 60
    assert seen[("en",), 0.0] == (0, 1) and seen[("ru",), 0.0] == (1, 0)
    assert seen[("ru",), 1.0] == (1, 1)
    both = seen[("ru", "en"), 0.0]
    assert 0.2 < both[0] < 0.9 and both[0] + both[1] == 1


@pytest.mark.parametrize("names", [["xnli"], ["xcopa"], ["udpos", "xnli"], ["lareqa"]])
def test_masked_lm_goes_beside_any_task(tiny_base: Path, tmp_path: Path, names: list[str]) -> None:
    how = MaskedText(share=0.5, languages=("de",), lines=50)
    found = trained(tiny_base, names, tmp_path, masked=how, max_steps=6)
    assert found.summary["masked LM head"] == "the checkpoint's own"
    assert found.fitted.final_loss > 0
    trained(tiny_base, names, tmp_path / "alone", max_steps=6)
    file = "adapter_model.safetensors"
    both = (load_file(place / "out" / file) for place in (tmp_path, tmp_path / "alone"))
    with_text, without = both
    assert with_text.keys() == without.keys()
    assert any(not torch.equal(with_text[name], without[name]) for name in without)


def test_masked_lm_keeps_the_head_that_the_checkpoint_has(tiny_base: Path) -> None:
    from transformers import AutoModelForMaskedLM

    whole = AutoModelForMaskedLM.from_pretrained(tiny_base).eval()
    head, kept = heads.lm_head(whole.roberta, tiny_base)
    joined = heads.Joined(whole.roberta, (), head).eval()
    pieces = mlm.Pieces.of(tokenization.load(tiny_base))
    assert pieces.mask == whole.config.vocab_size - 1 and pieces.special.tolist()[:4] == [
        0,
        1,
        2,
        3,
    ]
    batch = mlm.collate([[0, *range(5, 30), 2]] * 4, 1, pieces, seed=1)
    with torch.inference_mode():
        assert kept and joined.masked_lm(batch).item() == pytest.approx(
            whole(**batch).loss.item(), rel=1e-5
        )


def test_masked_lm_alone_gives_an_encoder_with_its_head(tiny_base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForMaskedLM

    how = MaskedText(share=1.0, tlm=0.5, lines=50)
    trained(tiny_base, [], tmp_path, method="full", masked=how, max_steps=3)
    before, after = (load_file(d / "model.safetensors") for d in (tiny_base, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert not torch.equal(before["lm_head.dense.weight"], after["lm_head.dense.weight"])
    opened, said = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not said["missing_keys"] and not said["unexpected_keys"]
    assert opened.lm_head.decoder.weight is opened.get_input_embeddings().weight


def test_a_checkpoint_without_a_masked_lm_head_gets_a_new_one(
    tiny_base: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(tiny_base, tmp_path / "bare")
    weights = tmp_path / "bare" / "model.safetensors"
    tensors = {k: v for k, v in load_file(weights).items() if not k.startswith("lm_head")}
    save_file(tensors, weights, {"format": "pt"})
    how = MaskedText(share=0.5, languages=("de",), lines=50)
    found = trained(tmp_path / "bare", ["xnli"], tmp_path, masked=how)
    assert found.summary["masked LM head"] == "new, tied to the embeddings"
    with pytest.raises(MethodError, match="set embeddings: fp32"):
        trained(tiny_base, ["xnli"], tmp_path / "bf16", masked=how, embeddings="bf16")


def test_mixtures_that_mean_nothing_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    from recipes.stages.train import Config

    def config(**keys: Any) -> Config:
        return Config(name="t", stage="train", model="m", **({"tasks": ("xnli",)} | keys))

    for keys, said in (
        ({"mixing": "capped"}, "capped needs cap"),
        ({"mixing": "uniform", "cap": 5}, "means nothing"),
        ({"mixing_temperature": 2}, "mixing_temperature: needs mixing: temperature"),
        ({"tasks": ()}, "set mlm: 1.0 and max_steps"),
        ({"mlm": 1.0}, "gives no batch to the tasks"),
        ({"tlm": 0.5}, "mlm is 0"),
        ({"mlm": 0.5, "tlm": 0.5, "mlm_languages": ("en",)}, "a language other than English"),
        ({"effective_batch": 8, "accumulate": 2}, "follows from effective_batch"),
    ):
        with pytest.raises(ValidationError, match=said):
            config(**keys)
    assert config(tasks=(), mlm=1.0, max_steps=5).mlm == 1
    everything = dataclasses.replace(options(), masked=MaskedText(share=1.0))
    with pytest.raises(MethodError, match="gives no batch to the tasks"):
        train_tasks(
            tiny_base, [TASKS.get("xnli")], EMBEDDED, everything, work=tmp_path, out=tmp_path
        )
