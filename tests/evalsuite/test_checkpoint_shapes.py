"""Checkpoints as they lie around: each opens as plain transformers opens it, or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import TorchPredictor
from tests.support.harmed import change_json
from tests.support.tiny_families import tiny_config, tiny_inputs, tiny_model
from transfer.models import checkpoints

XNLI = TASKS.get("xnli")


def named(model: Any) -> Any:
    model.config.id2label = dict(enumerate(XNLI.labels))
    model.config.label2id = {name: number for number, name in enumerate(XNLI.labels)}
    return model


def saved(out: Path, model: Any, **options: Any) -> Any:
    model.save_pretrained(out, **options)
    return model


def masked(family: str) -> Any:
    import transformers

    torch.manual_seed(0)
    return transformers.AutoModelForMaskedLM.from_config(tiny_config(family)).eval()


def stored(family: str, dtype: torch.dtype) -> Callable[[Path], Any]:
    return lambda out: saved(out, named(tiny_model(family)).to(dtype))


def sharded(out: Path) -> Any:
    model = saved(out, named(tiny_model("bert")), max_shard_size="20KB")
    assert len(list(out.glob("model-*.safetensors"))) > 2
    return model


def renamed(family: str, change: Callable[[str], str]) -> Callable[[Path], Any]:
    """The same tensors under the names that an older or another program gave them."""

    def write(out: Path) -> Any:
        model = saved(out, named(tiny_model(family)))
        path = out / "model.safetensors"
        tensors = load_file(path)
        changed = {change(name): tensor for name, tensor in tensors.items()}
        assert changed.keys() != tensors.keys()
        save_file(changed, path, metadata={"format": "pt"})
        return model

    return write


def old_norms(name: str) -> str:
    """As TensorFlow named them: the multilingual BERT of the hub still has these."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta"
    )


def without_pooler(out: Path) -> Any:
    encoder = tiny_model("xlm-roberta", None)
    encoder.pooler = None
    return saved(out, encoder)


def with_pooler(out: Path) -> Any:
    return saved(out, tiny_model("bert", None))


def resized(out: Path) -> Any:
    model = named(tiny_model("roberta"))
    model.resize_token_embeddings(67, mean_resizing=False)
    return saved(out, model)


def one_label(out: Path) -> Any:
    config = tiny_config("bert", num_labels=1, problem_type="regression")
    import transformers

    torch.manual_seed(0)
    return saved(out, transformers.AutoModelForSequenceClassification.from_config(config).eval())


def without_labels(out: Path) -> Any:
    model = saved(out, tiny_model("distilbert", "tagging"))
    change_json(out / "config.json", lambda config: [config.pop(k, None) for k in ("id2label",)])
    return model


def of_next_sentences(out: Path) -> Any:
    import transformers

    torch.manual_seed(0)
    return saved(out, transformers.BertForNextSentencePrediction(tiny_config("bert")).eval())


def of_pretraining(out: Path) -> Any:
    import transformers

    torch.manual_seed(0)
    return saved(out, transformers.BertForPreTraining(tiny_config("bert")).eval())


class Shape(NamedTuple):
    """How a checkpoint is written, and what opening it gives."""

    write: Callable[[Path], Any]
    labels: tuple[str, ...]  # none: an encoder
    answers: str = "label"


SHAPES: dict[str, Shape] = {
    "fp16": Shape(stored("bert", torch.float16), XNLI.labels),
    "bf16": Shape(stored("xlm-roberta", torch.bfloat16), XNLI.labels),
    "bf16, gated": Shape(stored("modernbert", torch.bfloat16), XNLI.labels),
    "sharded": Shape(sharded, XNLI.labels),
    "no prefix": Shape(renamed("roberta", lambda name: name.removeprefix("roberta.")), XNLI.labels),
    "norms of TensorFlow": Shape(renamed("bert", old_norms), XNLI.labels),
    "no pooler": Shape(without_pooler, ()),
    "pooler": Shape(with_pooler, ()),
    "tied": Shape(lambda out: saved(out, masked("xlm-roberta")), ()),
    "tied, next sentence too": Shape(of_pretraining, ()),
    "tied, relative": Shape(lambda out: saved(out, masked("deberta-v2")), ()),
    "tied, rotary": Shape(lambda out: saved(out, masked("modernbert")), ()),
    "tied, distilled": Shape(lambda out: saved(out, masked("distilbert")), ()),
    "resized": Shape(resized, XNLI.labels),
    "no labels": Shape(without_labels, ("LABEL_0", "LABEL_1")),
    "one label": Shape(one_label, ("LABEL_0",), "score"),
    "a task that is not here": Shape(of_next_sentences, ()),
}


def hidden(model: Any) -> np.ndarray:
    """Last hidden states of a model of transformers in fp32."""
    with torch.inference_mode():
        found = model.base_model.float()(**tiny_inputs(), output_hidden_states=True)
    states: np.ndarray = found.hidden_states[-1].numpy()
    return states


@pytest.mark.parametrize("name", SHAPES)
def test_it_opens_as_plain_transformers_opens_it(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    model = shape.write(tmp_path)
    found = open_model(tmp_path)
    assert isinstance(found, TorchPredictor)
    assert (found.labels, found.answers) == (shape.labels, shape.answers)
    inputs = {key: value.numpy() for key, value in tiny_inputs().items()}
    wanted = (f"hidden_states.{found.layers}", *(("logits",) if shape.labels else ()))
    outputs = found(inputs["input_ids"], inputs["attention_mask"], wanted)
    near = 0.1 if found.precision == "bf16" else 1e-4  # bf16 is run as it is stored
    real = inputs["attention_mask"].astype(bool)
    np.testing.assert_allclose(outputs[wanted[0]][real], hidden(model)[real], atol=near)
    if shape.labels:
        with torch.inference_mode():
            logits = model.float()(**tiny_inputs()).logits.numpy()
        real = real if logits.ndim == 3 else slice(None)
        np.testing.assert_allclose(outputs["logits"][real], logits[real], atol=near)
    opened, kept = checkpoints.load(tmp_path, TASKS.get("xnli"))
    assert kept == (shape.labels == XNLI.labels) and opened.num_labels == 3
    assert opened.dtype == torch.float32


def stale_size(out: Path) -> None:
    resized(out)
    change_json(out / "config.json", lambda config: config.update(vocab_size=60))


def of_own_code(out: Path) -> None:
    renamed("bert", lambda name: name.replace("classifier", "my_head"))(out)
    change_json(out / "config.json", lambda config: config.update(architectures=["MyClassifier"]))


def other_rows(out: Path) -> None:
    saved(out, tiny_model("bert"))  # three labels
    change_json(
        out / "config.json", lambda config: [config.pop("id2label"), config.pop("label2id")]
    )


def lost_shard(out: Path) -> None:
    sharded(out)
    min(out.glob("model-*.safetensors")).unlink()


def remote(out: Path) -> None:
    saved(out, tiny_model("bert"))
    names = {"AutoModel": "modeling.Own", "AutoConfig": "modeling.OwnConfig"}
    change_json(out / "config.json", lambda c: c.update(model_type="own", auto_map=names))


def no_type(out: Path) -> None:
    saved(out, tiny_model("bert"))
    change_json(out / "config.json", lambda config: config.pop("model_type"))


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "resized, and the config is not": (stale_size, r"\[67, 32\] instead of \[60, 32\]"),
    "a head of another program": (of_own_code, "not expected: my_head"),
    "more rows than labels": (other_rows, r"\[3, 32\] instead of \[2, 32\]"),
    "a shard is lost": (lost_shard, "has no such file"),
    "code of its own": (remote, "never run"),
    "no model type": (no_type, "has no model_type"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_one_message(name: str, tmp_path: Path) -> None:
    write, message = REFUSED[name]
    write(tmp_path)
    with pytest.raises(ModelError, match=message):
        open_model(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())
