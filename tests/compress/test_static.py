"""Static models: the table they start with, their head, and the student that they become."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import distillation

from compress.distill import plain_text
from compress.distill.distill import distill
from compress.errors import ExportError, StudentError
from compress.export.export import export
from compress.export.layouts import transformers_js
from compress.static.make import make
from compress.static.table import project, weigh
from evalsuite import tokenization
from evalsuite.alignment.measure import measure
from evalsuite.bench import measure as bench
from evalsuite.bench.flops import of_directory, operations
from evalsuite.errors import ModelError
from evalsuite.evaluation import absolute_layer
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.static.kind import MODEL_TYPE
from evalsuite.static.pooling import features, mean, text_masks
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.planning.external_models import External
from recipes.stages import alignment as alignment_stage
from recipes.stages import distill as distill_stage
from recipes.stages import export as export_stage
from recipes.stages import static as static_stage
from recipes.stages import train as train_stage
from recipes.stages._shared.contract import Artifact, CutSizes
from transfer.errors import MethodError
from transfer.loop.batch_plan import Batch
from transfer.loop.fit import Settings
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.registry import METHODS

EMBEDDED = DataSource("embedded")
LINES = ["The dog sleeps.", "The dog eats.", "Der Hund schläft."]


@pytest.fixture(scope="module")
def encoder(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("static-encoder")
    make(tiny_base, LINES, out, width=16)
    return out


@pytest.fixture(scope="module")
def classifier(tiny_nli: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("static-classifier")
    make(tiny_nli, LINES, out, width=16)
    model = load_checkpoint(out)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.classifier.weight)  # logits that spread
    model.save_pretrained(out)
    return out


def test_the_table_keeps_the_directions_in_which_vectors_differ() -> None:
    random = np.random.default_rng(1)
    two = random.normal(size=(50, 2)) @ random.normal(size=(2, 6))
    table = project(two + 100.0, 2)  # all of them in one narrow cone
    assert np.allclose(table.mean(0), 0, atol=1e-5)
    assert np.linalg.norm(table, axis=1).mean() == pytest.approx(1, abs=1e-5)
    apart = [np.linalg.norm(rows[:, None] - rows[None], axis=-1) for rows in (two, table)]
    assert np.allclose(apart[0] / apart[0].max(), apart[1] / apart[1].max(), atol=1e-4)
    with pytest.raises(ValueError, match="7 components"):
        project(two, 7)


def test_frequent_pieces_weigh_less() -> None:
    weighed = weigh(np.ones((3, 2), np.float32), np.array([9e5, 9e4, 1e4]))
    assert weighed.dtype == np.float32
    assert np.allclose(weighed[:, 0], [1 / 901, 1 / 91, 1 / 11])


def test_each_text_of_a_row_has_a_mean() -> None:
    ids = torch.tensor([[0, 5, 6, 2, 2, 7, 2, 1], [0, 5, 2, 1, 1, 1, 1, 1]])
    first, second = text_masks(ids, (ids != 1).long(), separator=2)
    assert first.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]]
    assert second.tolist() == [[0, 0, 0, 0, 1, 1, 1, 0], [0] * 8]
    states = torch.randn(2, 8, 3)
    assert torch.allclose(mean(states, first)[1], states[1, :3].mean(0))
    assert mean(states, second)[1].tolist() == [0, 0, 0]
    one, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0]])
    assert features(one, other).tolist() == [[1, 2, 3, -1, 2, 3, 3, -2]]


def test_a_new_head_depends_on_the_seed_alone(tiny_nli: Path, tmp_path: Path) -> None:
    """Not on what drew random numbers in the process before."""
    heads = []
    for number, seed in enumerate((1, 1, 2)):
        torch.rand(number)
        make(tiny_nli, ["It rains."], tmp_path / str(number), width=16, seed=seed)
        heads.append(load_checkpoint(tmp_path / str(number)).classifier.weight)
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_a_static_model_is_a_checkpoint_that_declares_its_vectors(
    encoder: Path, tiny_base: Path
) -> None:
    found = open_model(encoder)
    assert (found.layers, found.labels) == (0, ())
    declared = declared_by(encoder)
    assert (declared.declared, declared.prefix, declared.pooling) == (True, "", "mean")
    tokenizer = tokenization.load(encoder)
    assert tokenizer.to_str() == tokenization.load(tiny_base).to_str()
    ids = np.array([tokenizer.encode("The dog").ids])
    states = found(ids, np.ones_like(ids), ("hidden_states.0",))["hidden_states.0"]
    table = load_checkpoint(encoder).get_input_embeddings().weight.numpy(force=True)
    assert np.array_equal(states[0], table[ids[0]])
    assert not states[0, [0, -1]].any()  # the special tokens are in every text
    assert operations(of_directory(encoder), 8, 32) == 0


def test_numpy_answers_as_torch_does(classifier: Path, tmp_path: Path) -> None:
    export(classifier, tmp_path / "fp32", runtime="numpy", precision="fp32")
    export(classifier, tmp_path / "int8", runtime="numpy", precision="int8")
    session = tokenization.load(classifier)
    rows = [session.encode(*texts).ids for texts in (("A dog.", "It eats it."), ("A cat eats.",))]
    ids = np.full((2, max(map(len, rows))), 1)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    mask = (np.arange(ids.shape[1]) < np.array([[len(row)] for row in rows])).astype(np.int64)
    wanted = ("logits", "hidden_states.0")
    right = open_model(classifier)(ids, mask, wanted)
    assert np.abs(right["logits"][0] - right["logits"][1]).max() > 0.01
    for precision, tolerance in (("fp32", 1e-6), ("int8", 0.01)):
        bundle = open_model(tmp_path / precision)
        found = bundle(ids, mask, wanted)
        assert bundle.labels == open_model(classifier).labels
        for name in wanted:
            largest = np.abs(right[name]).max()
            assert np.abs(found[name] - right[name]).max() <= tolerance * largest, (precision, name)
    outside = External.find(str(tmp_path / "int8"))  # a recipe may name it
    assert (outside.artifact.kind, outside.artifact.runtime) == ("bundle", "numpy")
    assert outside.has_weights()
    sizes = [(tmp_path / name / "model.npz").stat().st_size for name in ("fp32", "int8")]
    assert sizes[1] < 0.4 * sizes[0]


def test_a_static_model_is_timed_with_the_threads_that_the_others_have(
    encoder: Path, tmp_path: Path
) -> None:
    export(encoder, tmp_path / "fp32", runtime="numpy", precision="fp32")
    (speed,) = bench.measure(
        [bench.Subject(tmp_path / "fp32", {"en": [[0, 9, 11, 2]] * 3}, "static", "made up")],
        source="embedded", threads=2, passes=1, latency_samples=2, batch_sizes=(1,), lengths=(8,),
        peak_sizes=(64,),
    )  # fmt: skip
    assert speed.environment.threads == 2 and open_model(tmp_path / "fp32").threads == 1


def test_int4_rows_come_back_from_two_per_byte(encoder: Path, tmp_path: Path) -> None:
    export(encoder, tmp_path / "int4", runtime="numpy", precision="int4")
    ids = np.array([[0, 60, 70, 2]])
    pair = [open_model(path)(ids, np.ones_like(ids), ("hidden_states.0",))["hidden_states.0"]
            for path in (encoder, tmp_path / "int4")]  # fmt: skip
    row, found = pair[0][0, 1], pair[1][0, 1]
    assert 0 < np.abs(row - found).max() < 0.12 * np.abs(row).max()


def test_numpy_runs_static_models_alone(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is not a static model, and numpy runs no other"):
        export(tiny_base, tmp_path / "out", runtime="numpy", precision="int8")
    config = export_stage.Config(
        name="e", stage="export", model="m", runtime="numpy", precision="int8"
    )
    with pytest.raises(StageInputError, match="numpy runs lingopress-static models, and this is a"):
        export_stage.check(config, {"model": [Artifact("checkpoint", family="bert")]})
    static = Artifact("checkpoint", family=MODEL_TYPE)
    assert export_stage.check(config, {"model": [static]}).runtime == "numpy"


def _distilled(**changes: Any) -> Any:
    return distillation(
        **{"layers": None, "logits": 0.0, "hidden": 0.0, "sentences": 1.0, "max_pairs": 60,
           "vectors": SentenceVectors(prefix="query: "), **changes}
    )  # fmt: skip


def test_a_static_student_reads_no_prefix(encoder: Path, tiny_base: Path, tmp_path: Path) -> None:
    before = load_checkpoint(encoder).get_input_embeddings().weight.clone()
    asked = _distilled(student=encoder, languages=("de",))
    _, facts = distill(tiny_base, [], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")
    assert facts["layers"] == "0 of 2"
    assert read_config(tmp_path / "o")["model_type"] == MODEL_TYPE
    assert declared_by(tmp_path / "o").prefix == ""
    card = (tmp_path / "o" / "README.md").read_text()
    assert "library_name: lingopress" in card and "lingopress.open(" in card
    after = load_checkpoint(tmp_path / "o").get_input_embeddings().weight
    assert not torch.equal(before, after)
    text = plain_text.read(
        EMBEDDED, encoder, dataclasses.replace(asked, prefixed=False), None, teacher=tiny_base
    )
    assert isinstance(text, plain_text.Parallel)
    batch = text.collate(Batch(0, (0,), 1))
    english = text.pairs[0][1]
    assert english.startswith("query: ")
    wanted = tokenization.load(encoder).encode(english.removeprefix("query: ")).ids
    assert batch["sides_ids"][0][batch["sides_mask"][0].bool()].tolist() == wanted


def test_a_static_student_of_a_teacher_with_another_pooling_takes_the_mean(
    encoder: Path, tiny_base: Path, tmp_path: Path
) -> None:
    vectors = SentenceVectors(pooling="cls", prefix="query: ")
    asked = _distilled(student=encoder, vectors=vectors, contrast=1.0, max_steps=20)
    distill(tiny_base, [], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")
    assert declared_by(tmp_path / "o").pooling == "mean"
    before, after = (
        load_checkpoint(path).get_input_embeddings().weight for path in (encoder, tmp_path / "o")
    )
    changed = (before != after).any(1)
    assert changed.sum() > 20  # rows of words, and not of <s> alone


def test_text_of_some_languages_alone_is_read(tiny_base: Path) -> None:
    assert len(plain_text.read(EMBEDDED, tiny_base, _distilled(languages=("de",)), None)) == 60


def test_what_a_static_student_cannot_match_is_refused(
    encoder: Path, tiny_base: Path, tmp_path: Path
) -> None:
    with pytest.raises(StudentError, match="layers: a static student has none"):
        distill(
            tiny_base, [], EMBEDDED, _distilled(student=encoder, layers=1),
            work=tmp_path / "w", out=tmp_path / "o",
        )  # fmt: skip
    config = distill_stage.Config(
        name="d", stage="distill", teacher="t", student="s", logits=0, sentences=1
    )
    inputs = {
        "teacher": [Artifact("checkpoint")],
        "student": [Artifact("checkpoint", family=MODEL_TYPE)],
    }
    with pytest.raises(StageInputError, match="a static student has no layers to match"):
        distill_stage.check(config, inputs)
    again = config.model_copy(update={"gradient_checkpointing": True, "hidden": 0})
    with pytest.raises(StageInputError, match=r"^gradient_checkpointing: a static student"):
        distill_stage.check(again, inputs)
    settings = Settings(1e-3, 1, gradient_checkpointing=True)
    with pytest.raises(StudentError, match=r"^gradient_checkpointing: a static student"):
        distill(
            tiny_base, [], EMBEDDED, _distilled(student=encoder, settings=settings),
            work=tmp_path / "w", out=tmp_path / "o",
        )  # fmt: skip


def test_a_static_model_is_read_at_its_only_layer() -> None:
    assert [absolute_layer(0, layer) for layer in (None, 0, -1)] == [0, 0, 0]
    assert absolute_layer(1, None) == 1


def test_a_table_is_no_wider_than_it_has_pieces(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_checkpoint(tiny_base)
    model.set_input_embeddings(torch.nn.Embedding(8, 64))
    monkeypatch.setattr("compress.static.make.load_checkpoint", lambda directory: model)
    with pytest.raises(StudentError, match="width: 9: the encoder has 8 pieces; give at most that"):
        make(tiny_base, LINES, tmp_path, width=9)


def test_what_cannot_become_static_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(StudentError, match="width: 65: the encoder is 64 wide"):
        make(tiny_base, LINES, tmp_path, width=65)
    config = static_stage.Config(name="s", stage="static", model="m")
    with pytest.raises(StageInputError, match="has a tagging head; a static model pools"):
        static_stage.check(config, {"model": [Artifact("checkpoint", task="udpos")]})
    given = static_stage.check(config, {"model": [Artifact("checkpoint", task="xnli")]})
    assert (given.family, given.task) == (MODEL_TYPE, "xnli")
    elastic = Artifact("checkpoint", cuts=CutSizes((6, 3), (1536,)))
    assert static_stage.check(config, {"model": [elastic]}).cuts == CutSizes((), ())


def test_a_static_classifier_has_no_layout_for_a_browser() -> None:
    keys = {"name": "e", "stage": "export", "model": "m"}
    config = export_stage.Config.model_validate(keys | {"layout": "transformers.js"})
    encoder = Artifact("checkpoint", family=MODEL_TYPE)
    export_stage.check(config, {"model": [encoder]})
    with pytest.raises(
        StageInputError, match=r"^layout: .* no class for a static model with a head"
    ):
        export_stage.check(config, {"model": [dataclasses.replace(encoder, task="xnli")]})
    assert transformers_js.refusal("onnxruntime", "pair", "bert") is None


def test_parts_of_a_static_model_are_not_excluded() -> None:
    keys = {"name": "e", "stage": "export", "model": "m", "precision": "int8", "exclude": "auto"}
    static = Artifact("checkpoint", task="xnli", family=MODEL_TYPE)
    with pytest.raises(StageInputError, match=r"^exclude: .* no layers; leave exclude out$"):
        export_stage.check(export_stage.Config.model_validate(keys), {"model": [static]})


@pytest.mark.parametrize(("task", "head"), [("udpos", "tagging"), ("xquad", "span")])
def test_a_static_model_gets_no_head_for_words(task: str, head: str) -> None:
    static = {"model": [Artifact("checkpoint", family=MODEL_TYPE)]}
    keys = {"name": "t", "stage": "train", "model": "m", "method": "full", "tasks": [task]}
    config = train_stage.Config.model_validate(keys)
    with pytest.raises(StageInputError, match=f"so it cannot have a {head} head; train an encoder"):
        train_stage.check(config, static)
    train_stage.check(config.model_copy(update={"tasks": ("xnli",)}), static)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gradient_checkpointing": True}, "^gradient_checkpointing: a static model has no layers"),
        ({"tasks": ("xnli", "pawsx")}, "^tasks: a static model is trained on one task at a time"),
        ({"mlm": 0.5, "max_steps": 9}, "^mlm: a static model reads each piece alone"),
        ({"method": "soft_prompt"}, "^method: soft_prompt: a static model has no layers that read"),
        ({"method": "deep_prompt"}, "^method: deep_prompt: a static model has no layers that read"),
        ({"method": "lora"}, "^model: a static model has no layers; set method: full$"),
    ],
)
def test_what_a_static_model_cannot_be_trained_by_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    keys = {"name": "t", "stage": "train", "model": "m", "method": "full", "tasks": ("xnli",)}
    config = train_stage.Config.model_validate(keys | changes)
    with pytest.raises(StageInputError, match=said):
        train_stage.check(config, {"model": [Artifact("checkpoint", family=MODEL_TYPE)]})
    assert train_stage.check(config, {"model": [Artifact("checkpoint", family="bert")]})


def test_a_static_prompt_is_refused_at_run(classifier: Path) -> None:
    for method in ("soft_prompt", "deep_prompt"):
        chosen: Any = METHODS.get(method)
        with pytest.raises(MethodError, match="a static model has no layers that read a prompt"):
            chosen.prepare(load_checkpoint(classifier), "pair", "fp32", length=4)


def test_a_static_model_has_no_layers_to_align(encoder: Path, tiny_base: Path) -> None:
    models = {"models": [Artifact("checkpoint"), Artifact("checkpoint", family=MODEL_TYPE)]}
    config = alignment_stage.Config(name="a", stage="alignment", models=("m", "s"))
    with pytest.raises(StageInputError, match="models: a static model has no layers to compare"):
        alignment_stage.check(config, models)
    opened = [("base", open_model(tiny_base)), ("static", open_model(encoder))]
    with pytest.raises(ModelError, match="static is a static model, which has no layers"):
        measure(opened, TASKS.get("tatoeba"), EMBEDDED)
