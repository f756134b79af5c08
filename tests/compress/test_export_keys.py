"""Keys of `export`: text for calibration, keys that fit each other, what a card says."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from compress.export.calibration_text import Calibration, samples
from evalsuite.data import parallel
from evalsuite.formats import pair
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.install_command import how_to_install
from evalsuite.registry import TASKS
from evalsuite.results.run import StageRecord
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import HELD_OUT, PARALLEL, Artifact, DataNeed
from recipes.stages._shared.lineage import made_from
from recipes.stages.export import Config, _form, check, data, unused_keys

EMBEDDED = DataSource("embedded")


def test_calibration_text_is_not_what_is_scored(tagger: Path) -> None:
    session = Session(open_model(tagger))
    task = TASKS.get("xnli")
    text = Calibration(task, EMBEDDED, 6).sequences(session.tokenizer, 62)
    assert "en" in text and len(text) == 11 and {len(items) for items in text.values()} == {6}
    lines = [p.foreign for p in list(parallel.pairs(EMBEDDED, "de"))[:6]]
    joined = [session.tokenizer.encode(a, b).ids for a, b in pairwise(lines)]
    assert [item.ids for item in text["de"][:5]] == joined  # two sentences, as the task's rows
    scored = {row.first for code in text for row in task.load(EMBEDDED, "test", code)}
    assert not scored & set(lines)
    train = Calibration(task, EMBEDDED, 5, "train").sequences(session.tokenizer, 62)
    rows = task.load(EMBEDDED, "train", "en")
    assert train["en"][0].ids == pair.encode(session.tokenizer, rows[:1], 62)[0].ids
    assert len(train["en"]) == 5 and list(train) == ["en"]
    (sample, *_) = samples(train, choices=True)
    assert sample["input_ids"].shape == (1, 1, len(train["en"][0].ids))


def config(**keys: Any) -> Config:
    return Config.model_validate({"name": "e", "stage": "export", "model": "./m"} | keys)


MODEL = {"model": (Artifact("checkpoint", task="xnli"),)}


def test_calibration_text_is_part_of_the_key() -> None:
    def needs(**keys: Any) -> set[DataNeed]:
        found = config(**keys)
        return set(data(found, check(found, MODEL)))

    plain = needs(precision="int8")
    assert plain == {DataNeed("xnli", "eval")}
    for keys in (
        {"runtime": "openvino", "precision": "int8"},
        {"precision": "int8-static"},
        {"precision": "int8", "exclude": "auto"},
    ):
        assert needs(**keys) - plain == {PARALLEL, HELD_OUT}
        assert needs(**keys, calibration_text="train") - plain == {
            DataNeed("xnli", "train", ("en",))
        }
    assert needs(runtime="openvino", precision="int8-weights") == plain
    assert needs(precision="int8", exclude=["head"]) == plain


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        ({"precision": "int8"}, "int4"),
        ({"precision": "int4-weights", "group_size": 16}, "int4"),
        ({"precision": "int4-weights", "scales": "tensor"}, None),  # with all other tables
        ({"precision": "int4-weights", "runtime": "openvino"}, None),  # by NNCF
    ],
)
def test_int4_rows_have_a_scale_each(keys: dict[str, Any], form: str | None) -> None:
    """In ONNX Runtime; groups of weights are of products alone."""
    made = _form(config(**keys, embeddings="int4"), Path(), cast("Any", None))
    assert (made and made.name) == form


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"precision": "fp32", "exclude": "auto"},
            "exclude: only for runtime: onnxruntime with",
        ),
        ({"precision": "int8", "max_drop": 1}, "max_drop: only with exclude: auto"),
        (
            {"runtime": "openvino", "precision": "int4-weights", "embeddings": "rank-8"},
            "openvino int4-weights takes int8, int4; for rank-8 set runtime: onnxruntime with",
        ),
        (
            {"precision": "int8-weights", "scales": "tensor"},
            "scales: tensor only for runtime: onnx",
        ),
        (
            {"precision": "int4-weights", "scales": "tensor"},
            "scales: tensor needs embeddings: int4",
        ),
        (
            {"precision": "int8", "group_size": 16},
            "group_size: only for runtime: onnxruntime with precision: int8-weights or "
            "int4-weights, or runtime: openvino with precision: int4-weights",
        ),
        (
            {
                "precision": "int4-weights",
                "embeddings": "int4",
                "scales": "tensor",
                "group_size": 16,
            },
            "group_size: not with scales: tensor",
        ),
        (
            {"precision": "int4-weights", "rounding": "gptq"},
            "rounding: gptq only for runtime: openvino with precision: int4-weights",
        ),
        (
            {"precision": "int8-static", "calibration_text": "train", "probe_task": "tatoeba"},
            "calibration_text: the probe task has no training rows",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], said: str) -> None:
    inputs = {"model": (Artifact("checkpoint", external=True),)}
    with pytest.raises(StageInputError, match=said):
        check(config(**keys), inputs)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"calibration_text": "train", "calibration_rows": 8},
            "calibration_text, calibration_rows: onnxruntime fp32 is not calibrated; remove them",
        ),
        (
            {"runtime": "openvino", "precision": "int8-weights", "calibration_rows": 8},
            "calibration_rows: openvino int8-weights is not calibrated; remove it, or set a "
            "calibrated precision (`lingopress ls runtimes openvino` lists them)",
        ),
        (
            {"embeddings": "int8", "precision": "int8", "max_pairs": 9},
            "max_pairs: pieces are counted for embeddings: rank-N alone; remove it, or set",
        ),
    ],
)
def test_keys_of_text_that_is_not_read_are_refused(keys: dict[str, Any], said: str) -> None:
    (problem,) = unused_keys(config(**keys))
    assert problem.startswith(said)
    used = config(precision="int8-static", calibration_rows=8, calibration_text="train")
    assert not unused_keys(used)


def test_a_runtime_without_a_calibrated_precision_names_none() -> None:
    (problem,) = unused_keys(config(runtime="executorch", precision="fp32", calibration_rows=8))
    assert problem == "calibration_rows: executorch fp32 is not calibrated; remove it"


def test_without_nncf_one_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "evalsuite.runtimes._extras.find_spec", lambda name: None if name == "nncf" else True
    )
    said = re.escape(f"nncf is not installed; {how_to_install('openvino')}")
    for runtime, precision in (("openvino", "int8"), ("onnxruntime", "int8-static")):
        with pytest.raises(StageInputError, match=said):
            check(config(runtime=runtime, precision=precision), MODEL)
    assert check(config(runtime="openvino", precision="bf16"), MODEL).kind == "bundle"


def test_a_card_says_what_a_checkpoint_was_made_from() -> None:
    def record(kind: str, name: str, inputs: tuple[str, ...], **config: Any) -> StageRecord:
        return StageRecord(
            name=name,
            kind=kind,
            key="",
            inputs=inputs,
            config=config,
            summary={},
            seconds=0,
            output_bytes=0,
            finished="",
        )

    steps = made_from(
        [
            record("train", "a", ("org/xlm-r@1",), tasks=["mnli"], method="lora", precision="nf4"),
            record("fuse", "b", ("a",)),
            record("trim", "c", ("b", "/home/me/other"), languages=["de"]),
        ]
    )
    assert steps == ["train (mnli, lora, nf4) of org/xlm-r@1", "fuse", "trim of a local directory"]
