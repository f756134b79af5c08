"""A checkpoint opens without running its code, and with all its tensors or not at all."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from evalsuite import tokenization
from evalsuite.errors import ModelError, NotFiniteError, RemoteCodeRefusedError
from evalsuite.inference.finite_outputs import refuse_not_finite
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.inference.session import Session
from evalsuite.opening.pretrained import from_pretrained
from evalsuite.opening.tokenizer import tokenizer_of
from evalsuite.registry import TASKS
from evalsuite.task import PairExample
from tests.support.harmed import Weights, change_json, change_weights, write_small
from transfer.models import checkpoints

QUERY = "roberta.encoder.layer.1.attention.self.query.weight"


@pytest.fixture
def nli(tmp_path: Path) -> Path:
    return write_small(tmp_path / "nli")


@pytest.fixture
def remote(nli: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint that opens with code of its own alone, and stdin that agrees to it."""
    mark = f"open({str(nli / 'RAN')!r}, 'w')\n"
    (nli / "modeling.py").write_text(
        mark + "from transformers import XLMRobertaConfig as Config\n"
        "from transformers import XLMRobertaForSequenceClassification as Model\n"
    )
    names = {
        "AutoConfig": "modeling.Config",
        "AutoModelForSequenceClassification": "modeling.Model",
    }
    change_json(nli / "config.json", lambda c: c.update(model_type="new", auto_map=names))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    return nli


def _read_nothing() -> None:
    assert sys.stdin.read() == "y\n" * 9


def test_code_of_a_checkpoint_never_runs(remote: Path) -> None:
    openings = (
        lambda: open_model(remote),
        lambda: checkpoints.load(remote, TASKS.get("xnli")),
        lambda: checkpoints.load(remote, None, "bf16"),
        lambda: checkpoints.frozen(remote, "fp32"),
    )
    for opening in openings:
        with pytest.raises(RemoteCodeRefusedError, match="never run"):
            opening()
    _read_nothing()
    assert not (remote / "RAN").exists()


def test_code_of_another_repository_never_runs(remote: Path) -> None:
    names = {"AutoConfig": "some/where--modeling.Config", "AutoModel": "some/where--modeling.Model"}
    change_json(remote / "config.json", lambda c: c.update(auto_map=names))
    with pytest.raises(RemoteCodeRefusedError):
        open_model(remote)
    _read_nothing()


def test_code_of_a_tokenizer_never_runs(remote: Path) -> None:
    (remote / "tokenizer.json").unlink()
    told = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["modeling.Own", None]}}
    (remote / "tokenizer_config.json").write_text(json.dumps(told))
    with pytest.raises(ModelError):
        tokenizer_of(remote)
    _read_nothing()
    assert not (remote / "RAN").exists()


def test_code_beside_a_known_model_is_left_alone(nli: Path) -> None:
    change_json(nli / "config.json", lambda c: c.update(auto_map={"AutoModel": "modeling.Model"}))
    (nli / "modeling.py").write_text("raise SystemExit")
    assert open_model(nli).labels == ("entailment", "neutral", "contradiction")


def _pop(*names: str) -> Any:
    def change(weights: Weights) -> None:
        for name in [name for name in weights if name.startswith(names)]:
            del weights[name]

    return change


def _renamed(weights: Weights) -> None:
    for name in list(weights):
        weights[f"x{name}"] = weights.pop(name)


def _reshaped(name: str, *shape: int) -> Any:
    def change(weights: Weights) -> None:
        weights[name] = torch.zeros(shape)

    return change


def _alone(weights: Weights) -> None:
    for name in set(weights) - {QUERY}:
        del weights[name]


HARMS = {
    "query missing": (_pop(QUERY), f"missing: {QUERY}"),
    "layer missing": (_pop("roberta.encoder.layer.0."), "missing: .*and 10 more"),
    "all renamed": (_renamed, "not expected: xclassifier.dense.bias"),
    "one alone": (_alone, "missing: classifier.dense.bias"),
    "query narrower": (_reshaped(QUERY, 7, 8), r"query.weight \[7, 8\] instead of \[8, 8\]"),
    "other ffn": (
        _reshaped("roberta.encoder.layer.0.output.dense.weight", 8, 10),
        r"of another shape: .*\[8, 10\] instead of \[8, 12\]",
    ),
    "layer too many": (
        _reshaped("roberta.encoder.layer.2.output.dense.weight", 8, 12),
        "not expected: roberta.encoder.layer.2",
    ),
    "fewer pieces": (
        _reshaped("roberta.embeddings.word_embeddings.weight", 39, 8),
        r"\[39, 8\] instead of \[40, 8\]",
    ),
    "empty": (lambda weights: weights.clear(), "missing"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_every_tensor_of_the_encoder_must_be_there(nli: Path, harm: str) -> None:
    change, message = HARMS[harm]
    change_weights(nli, change)
    openings = (
        lambda: open_model(nli),
        lambda: checkpoints.load(nli, TASKS.get("xnli")),
        lambda: checkpoints.load(nli, TASKS.get("panx")),
        lambda: checkpoints.load(nli, None),
    )
    for opening in openings:
        with pytest.raises(ModelError, match=r"not those of its config|only [01] tensors"):
            opening()
    with pytest.raises(ModelError, match=message if harm not in ("one alone", "empty") else "only"):
        open_model(nli)


def test_a_kept_head_must_be_there_and_a_new_one_need_not(nli: Path) -> None:
    change_weights(nli, _pop("classifier."))
    with pytest.raises(ModelError, match="missing: classifier"):
        open_model(nli)
    with pytest.raises(ModelError, match="missing: classifier"):
        checkpoints.load(nli, TASKS.get("xnli"))  # its config says that it has this head
    model, kept = checkpoints.load(nli, TASKS.get("panx"))
    assert not kept and model.num_labels == len(TASKS.get("panx").labels)


def test_a_config_of_more_layers_is_refused(nli: Path) -> None:
    change_json(nli / "config.json", lambda c: c.update(num_hidden_layers=3))
    with pytest.raises(ModelError, match=r"missing: roberta.encoder.layer.2"):
        open_model(nli)


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_hidden_layers", 10**8), ("hidden_size", 10**7), ("max_position_embeddings", 10**12)],
)
def test_a_config_of_a_giant_is_refused_at_once(nli: Path, key: str, value: int) -> None:
    change_json(nli / "config.json", lambda c: c.update({key: value}))
    with pytest.raises(ModelError, match=r"config.json"):
        open_model(nli)


def test_an_encoder_opens_without_its_pooler_and_its_masked_lm_head(tmp_path: Path) -> None:
    directory = write_small(tmp_path / "lm", "ForMaskedLM")
    expected = transformers.AutoModel.from_pretrained(directory).state_dict()
    found = open_model(directory).model.state_dict()  # type: ignore[attr-defined]
    for name, value in expected.items():
        assert "pooler" in name or torch.equal(found[name], value)
    lm = from_pretrained(transformers.AutoModelForMaskedLM, directory)  # tied, so not missing
    stored = load_file(directory / "model.safetensors")
    assert "lm_head.decoder.weight" not in stored
    assert torch.equal(lm.lm_head.decoder.weight, lm.get_input_embeddings().weight)


def test_a_head_that_the_config_does_not_name_is_named(nli: Path) -> None:
    change_json(nli / "config.json", lambda c: c.update(architectures=["XLMRobertaModel"]))
    with pytest.raises(ModelError, match=r"not expected: classifier\.dense"):
        open_model(nli)


def test_a_head_is_not_read_where_the_config_names_none(nli: Path) -> None:
    change_json(nli / "config.json", lambda c: c.update(architectures=None))
    with pytest.raises(ModelError, match=r"not expected: classifier\.dense"):
        checkpoints.load(nli, TASKS.get("xnli"))


def test_a_head_has_a_row_for_each_label_of_its_config(nli: Path) -> None:
    change_json(nli / "config.json", lambda c: c.pop("id2label") and c.pop("label2id"))
    for task in ("xnli", "pawsx"):
        with pytest.raises(ModelError, match=r"has 2 labels .* in the weights has 3 rows"):
            checkpoints.load(nli, TASKS.get(task))


@pytest.mark.parametrize("file", ["tokenizer.json", "config.json"])
def test_another_file_in_the_place_of_the_config_is_named(nli: Path, file: str) -> None:
    text = (nli / file).read_text() if file == "tokenizer.json" else "{}"
    (nli / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config.json has no max_position_embeddings"):
        checkpoints.longest(nli, 128)
    with pytest.raises(ModelError, match=r"config.json has no model_type"):
        open_model(nli)


def test_whole_numbers_are_no_weights(nli: Path) -> None:
    change_weights(nli, lambda weights: weights.update({QUERY: weights[QUERY].long()}))
    with pytest.raises(ModelError, match=f"{QUERY} holds numbers of the type I64"):
        open_model(nli)


def test_numbers_of_positions_may_be_stored(nli: Path) -> None:
    name = "roberta.embeddings.position_ids"
    change_weights(nli, lambda weights: weights.update({name: torch.arange(34)[None]}))
    assert open_model(nli).layers == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_named(nli: Path, value: float) -> None:
    change_weights(nli, lambda weights: weights[QUERY].index_fill_(0, torch.tensor([3]), value))
    for opening in (open_model, lambda path: checkpoints.load(path, TASKS.get("panx"))):
        with pytest.raises(NotFiniteError, match=f"8 of the 64 weights in {QUERY} are NaN"):
            opening(nli)


def test_weights_whose_sum_overflows_are_numbers(nli: Path) -> None:
    change_weights(nli, lambda weights: weights[QUERY].fill_(3e38))
    assert open_model(nli).layers == 2


def test_a_tokenizer_with_more_ids_than_embeddings_is_refused(nli: Path) -> None:
    tokenizer = Tokenizer.from_file(str(nli / "tokenizer.json"))
    tokenization.load(nli)  # 32 ids, 40 rows
    tokenizer.add_tokens([f"[{number}]" for number in range(8)])
    tokenizer.save(str(nli / "tokenizer.json"))
    tokenization.load(nli)  # as many of both
    tokenizer.add_tokens(["[URL]"])
    tokenizer.save(str(nli / "tokenizer.json"))
    message = r"ids up to 40 \(\[URL\]\), but the embeddings have 40 rows"
    with pytest.raises(ModelError, match=message):
        Session(open_model(nli))
    with pytest.raises(ModelError, match=r"resize_token_embeddings\(41\)"):
        list(predict_lines(nli, ["a\tb"]))


def test_an_id_beyond_a_gap_is_found(tmp_path: Path) -> None:
    directory = write_small(tmp_path / "nli", vocab_size=35)
    words = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "far": 35}
    Tokenizer(WordLevel(words, "<unk>")).save(str(directory / "tokenizer.json"))
    with pytest.raises(ModelError, match=r"ids up to 35 \(far\)"):
        tokenization.load(directory)


def test_outputs_that_are_no_numbers_are_named_with_their_layer(nli: Path) -> None:
    name = "roberta.encoder.layer.1.output.LayerNorm.weight"
    change_weights(nli, lambda weights: weights[name].fill_(3e38))
    with pytest.raises(NotFiniteError, match=r"first in layer 2 \(hidden_states.2\)"):
        Session(open_model(nli)).predict("pair", [PairExample("1", "a b", "c", None)])
    with pytest.raises(NotFiniteError, match=f"{nli} gives outputs"):
        list(predict_lines(nli, ["a b\tc"]))


def test_outputs_at_padding_do_not_count() -> None:
    mask = np.array([[1, 0]])
    values = np.array([[[1.0], [np.nan]]])
    refuse_not_finite(cast(Any, None), mask, mask, {"hidden_states.1": values})


def test_nothing_of_transformers_is_printed(
    tiny_nli: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    logging.set_verbosity_warning()
    logging.enable_progress_bar()
    open_model(tiny_nli)
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled()
    assert logging.get_verbosity() == logging.WARNING
