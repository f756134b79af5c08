"""A model gets the inputs that its tokenizer makes in transformers: special tokens, token types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import NLI, bert, small
from heads import example_of
from small_tokenizer import TOKENIZER
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from compress.distill.narrow import Shape, narrow
from compress.distill.student import cut
from compress.export.export import export
from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.inference.token_types import separator_of, separator_read
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import ChoiceExample, PairExample, SpanExample, TagExample
from transfer.errors import MethodError
from transfer.methods import soft_prompt
from transfer.models import checkpoints as stored
from transfer.models.adapters import open_adapter

FIRST, SECOND = "a man sleeps.", "nobody is awake, or is he?"
AUTO = {
    "pair": AutoModelForSequenceClassification,
    "tagging": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
    "choice": AutoModelForMultipleChoice,
}
EXAMPLES: dict[str, Any] = {
    "pair": PairExample("0", FIRST, SECOND, None),
    "tagging": TagExample("0", tuple(FIRST.split()), ()),
    "span": SpanExample("0", FIRST, SECOND, ()),
    "choice": ChoiceExample("0", FIRST, "", (SECOND, "he is"), None),
}


def plain(model: Path, head: str, tokenizer: Any = None) -> np.ndarray:
    """Logits of plain transformers, `[tokens, labels]` or `[labels]`."""
    tokenizer = tokenizer or AutoTokenizer.from_pretrained(model)
    opened = AUTO[head].from_pretrained(model).eval()
    texts = {
        "tagging": (FIRST,),
        "choice": ([FIRST, FIRST], [SECOND, "he is"]),
    }.get(head, (FIRST, SECOND))
    inputs = tokenizer(*texts, return_tensors="pt", padding=True)
    with torch.inference_mode():
        if head == "choice":
            found = opened(**{name: tensor[None] for name, tensor in inputs.items()})
            return found.logits[0].numpy()
        found = opened(**inputs)
    if head == "span":
        return torch.stack((found.start_logits, found.end_logits), -1)[0].numpy()
    return found.logits[0].numpy()


def ours(model: Path, head: str) -> np.ndarray:
    session = Session(open_model(model))
    outputs = session.run(session.encode(head, [EXAMPLES[head]]), "logits")  # type: ignore[arg-type]
    return np.concatenate(outputs)


@pytest.mark.parametrize("head", AUTO)
@pytest.mark.parametrize("tokenizer", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_logits_are_those_of_transformers(head: str, tokenizer: str, tmp_path: Path) -> None:
    model = bert(tmp_path / "bert", head, tokenizer)
    assert ours(model, head) == pytest.approx(plain(model, head), abs=1e-5)


def test_token_types_change_what_bert_says(tmp_path: Path) -> None:
    with_types = bert(tmp_path / "bert")
    without = bert(tmp_path / "without", tokenizer="PreTrainedTokenizerFast")
    assert np.abs(ours(with_types, "pair") - ours(without, "pair")).max() > 0.1


def test_a_bert_with_xlmrs_tokenizer_reads_none(tmp_path: Path) -> None:
    """As sentence encoders of that shape; their tables have two types, their tokenizers one."""
    model = bert(tmp_path / "bert")
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)
    assert "token_type_ids" not in tokenizer("a", "b")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (model / file).write_bytes((TOKENIZER / file).read_bytes())
    assert separator_of(model, AUTO["pair"].from_pretrained(model)) is None


@pytest.mark.slow
@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_graph_computes_the_types_itself(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card's example passes ids and mask alone, and says what transformers says."""
    model = bert(tmp_path / "bert", layers=1)
    export(model, tmp_path / "out", runtime=runtime, precision="fp32")
    script = example_of(tmp_path / "out").replace("A man is reading.", FIRST)
    script = script.replace("Nobody reads.", SECOND)
    assert 'pad_id=0, pad_token="[PAD]"' in script
    monkeypatch.chdir(tmp_path / "out")
    printed: list[Any] = []
    exec(compile(script, "README.md", "exec"), {"print": lambda *said: printed.append(said)})
    assert printed == [(NLI[int(plain(model, "pair").argmax())], (FIRST, SECOND))]
    assert ours(tmp_path / "out", "pair") == pytest.approx(plain(model, "pair"), abs=1e-4)


def test_what_is_made_from_a_model_reads_types_too(tmp_path: Path) -> None:
    model = bert(tmp_path / "bert")
    teacher = load_checkpoint(model)
    batch = {name: torch.ones(2, 9, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    for student in (cut(teacher, [1]), narrow(teacher, Shape(width=16, heads=1), [batch])):
        assert separator_read(student) == 3
    loaded, kept = stored.load(model, TASKS.get("xnli"), "int8")
    assert kept and separator_read(loaded) == 3


def test_an_adapters_live_model_reads_types(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    model = bert(tmp_path / "bert")
    config = LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"])
    get_peft_model(AUTO["pair"].from_pretrained(model), config).save_pretrained(
        tmp_path / "adapter"
    )
    session = Session(open_adapter(tmp_path / "adapter", TASKS.get("xnli")))
    (logits,) = session.run(session.encode("pair", [EXAMPLES["pair"]]), "logits")
    assert logits == pytest.approx(plain(model, "pair"), abs=1e-5)


def test_a_soft_prompt_has_no_ids_to_read_types_of(tmp_path: Path) -> None:
    model, _ = stored.load(bert(tmp_path / "bert"), TASKS.get("xnli"))
    with pytest.raises(MethodError, match=r"reads token types, .* use method: deep_prompt or lora"):
        soft_prompt.prepare(model, "pair", "fp32", length=4)


def test_types_of_another_kind_are_refused(tmp_path: Path) -> None:
    import json

    model = bert(tmp_path / "bert")
    opened = AUTO["pair"].from_pretrained(model)
    tree = json.loads((model / "tokenizer.json").read_text())
    assert separator_of(model, opened) == 3
    tokenizer = AutoTokenizer.from_pretrained(model)
    assert tokenizer("a", "b")["token_type_ids"] == [0, 0, 0, 1, 1]
    tree["post_processor"]["pair"][0]["SpecialToken"]["type_id"] = 1  # of [CLS]
    (model / "tokenizer.json").write_text(json.dumps(tree))
    config = json.loads((model / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "PreTrainedTokenizerFast"}
    config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="only 0 for the first text with its separator and 1 for"):
        separator_of(model, opened)


def test_special_tokens_are_the_tokenizers(tmp_path: Path) -> None:
    assert tokenization.template(tokenization.load(bert(tmp_path / "bert"))) == (
        tokenization.Template((2,), (3,), (2,), (3,), (3,))
    )
    assert tokenization.template(tokenization.load(small(tmp_path / "small"))) == (
        tokenization.Template((0,), (2,), (0,), (2, 2), (2,))
    )
