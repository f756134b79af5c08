"""Graphs that go on with the most attended tokens of each text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import tiny_model

from compress.errors import ExportError, GateError
from compress.export.export import export
from compress.export.fewer_tokens import fewer_tokens
from compress.export.first_token import first_token_alone
from compress.export.graph import ExportOptions
from compress.export.kept_tokens import places_problem
from evalsuite.bench import flops
from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.runtimes._bundle import read_card
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.planning.external_models import inspect
from recipes.stages import evaluate as scoring
from recipes.stages import export as exporting
from recipes.stages._shared.contract import Artifact, CutSizes, HeadFacts

FAMILIES = ["bert", "distilbert", "electra", "roberta", "xlm-roberta", "xlm-roberta-xl"]
LENGTHS = (11, 6, 3)


def padded(lengths: tuple[int, ...] = LENGTHS) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 50, (len(lengths), max(lengths)), generator=generator)
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask}


def alone(batch: dict[str, torch.Tensor], row: int) -> dict[str, torch.Tensor]:
    length = int(batch["attention_mask"][row].sum())
    return {name: tensor[row : row + 1, :length] for name, tensor in batch.items()}


def logits(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**batch).logits
    return found


def states(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        return tuple(model(**batch, output_hidden_states=True).hidden_states)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_has_one_answer_in_every_batch(family: str) -> None:
    model, batch = tiny_model(family).eval(), padded()
    before = logits(model, batch)
    for kept in ({1: 50}, {1: 60, 2: 30}):
        with fewer_tokens(model, kept):
            together = logits(model, batch)
            apart = torch.cat([logits(model, alone(batch, row)) for row in range(len(LENGTHS))])
        torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-4)
        assert (together - before).abs().max() > 1e-5
    torch.testing.assert_close(logits(model, batch), before)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_most_attended_tokens_stay(family: str) -> None:
    model, batch = tiny_model(family).eval(), padded((10,))
    model.set_attn_implementation("eager")
    with torch.no_grad():
        shares = model(**batch, output_attentions=True).attentions[0]  # [1, heads, 10, 10]
    whole = states(model, batch)[1]
    received = shares.mean(1).sum(1)[0]
    received[0] = torch.inf  # the first token always stays
    chosen = received.topk(4).indices
    with fewer_tokens(model, {1: 40}):
        found = states(model, batch)
    assert [state.shape[1] for state in found] == [10, 4, 4, 4]
    torch.testing.assert_close(found[1], whole[:, chosen], atol=1e-5, rtol=1e-4)


def test_each_choice_is_a_text() -> None:
    model, batch = tiny_model("xlm-roberta", "choice").eval(), padded()
    choices = {name: tensor[None] for name, tensor in batch.items()}
    with fewer_tokens(model, {1: 50}):
        together = logits(model, choices)
        apart = [
            logits(model, {k: v[None] for k, v in alone(batch, row).items()}) for row in (1, 2)
        ]
    assert together.shape == (1, 3)
    torch.testing.assert_close(together[0, 1:], torch.cat(apart).flatten(), atol=1e-5, rtol=1e-4)


def test_the_last_layer_may_compute_the_first_token_alone() -> None:
    model, batch = tiny_model("xlm-roberta").eval(), padded()
    with fewer_tokens(model, {1: 50}):
        whole = logits(model, batch)
    with first_token_alone(model, batch) as shortened, fewer_tokens(model, {1: 50}):
        assert shortened
        torch.testing.assert_close(logits(model, batch), whole, atol=1e-5, rtol=1e-4)
        assert states(model, batch)[-1].shape[1] == 1
    assert states(model, batch)[-1].shape[1] == max(LENGTHS)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_bundle_leaves_out_what_torch_does(tiny_nli: Path, tmp_path: Path, runtime: Any) -> None:
    options = ExportOptions(keep_tokens={1: 50})
    export(tiny_nli, tmp_path, runtime=runtime, precision="fp32", options=options)
    assert (read_card(tmp_path) or {})["keep_tokens"] == {1: 50}
    assert "the most attended ones: 50% after layer 1" in (tmp_path / "README.md").read_text()
    bundle, model = open_model(tmp_path), load_checkpoint(tiny_nli).eval()
    for lengths in (LENGTHS, (2,), (3, 3), (30, 2)):
        batch = padded(lengths)
        with fewer_tokens(model, {1: 50}):
            wanted = logits(model, batch)
        ids, mask = (batch[name].numpy() for name in ("input_ids", "attention_mask"))
        (found,) = bundle(ids, mask, ("logits",)).values()
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    assert bundle(ids, mask, ("hidden_states.0",))["hidden_states.0"].shape[:2] == ids.shape
    with pytest.raises(ModelError, match="for all layers', export without keep_tokens"):
        bundle(ids, mask, ("hidden_states.1",))
    found = inspect(tmp_path, "bundle")
    assert found.shortened
    assert found.whole_layer == 0


@pytest.mark.parametrize(
    ("layer", "fits"), [(0, True), (3, True), (4, False), (-1, False), (-9, True), (None, True)]
)
def test_a_layer_without_all_tokens_is_refused_in_the_recipe(layer: int | None, fits: bool) -> None:
    config = scoring.Config(
        name="e", stage="evaluate", models=("b",), tasks=("tatoeba",), layer=layer
    )
    bundle = exporting.check(
        exporting.Config(name="b", stage="export", model="m", keep_tokens={4: 50}),
        {"model": [Artifact("checkpoint", task="xnli", family="xlm-roberta")]},
    )
    if fits:
        scoring.check(config, {"models": [bundle]})
        return
    said = "-1 is the last layer" if layer == -1 else "a bundle .* up to layer 3 only"
    with pytest.raises(StageInputError, match=f"^layer: {said}"):
        scoring.check(config, {"models": [bundle]})


def test_layers_are_those_of_the_cut_that_is_exported() -> None:
    model = Artifact("checkpoint", task="xnli", family="xlm-roberta", cuts=CutSizes((6, 4), (64,)))
    keys = {"name": "b", "stage": "export", "model": "m", "cut": {"layers": 4}}
    assert exporting.check(exporting.Config(**keys, keep_tokens={3: 50}), {"model": [model]})
    with pytest.raises(StageInputError, match="after layer 4; give layers from 1 to 3"):
        exporting.check(exporting.Config(**keys, keep_tokens={4: 50}), {"model": [model]})


@pytest.mark.slow
def test_where_too_many_labels_change_it_says_what_to_do(tiny_nli: Path, tmp_path: Path) -> None:
    probe = Probe(TASKS.get("xnli"), DataSource("embedded"), 8)
    options = ExportOptions(keep_tokens={1: 10})
    with pytest.raises(GateError, match="lower min_agreement, keep more tokens, or export with"):
        export(
            tiny_nli, tmp_path, precision="int8", options=options, probe=probe, min_agreement=100
        )


def test_operations_are_counted_for_the_tokens_that_are_left() -> None:
    whole = flops.Encoder(layers=4, width=8, feedforward=16, head="pair", labels=3)
    fewer = flops.Encoder(
        layers=4, width=8, feedforward=16, head="pair", labels=3, kept=((1, 50), (3, 20))
    )
    layer = {
        length: 2 * length * (4 * 8 * 8 + 2 * length * 8 + 2 * 8 * 16) for length in (10, 5, 2)
    }
    head = 2 * 8 * 3
    assert flops.operations(whole, 1, 10) == 4 * layer[10] + head
    assert flops.operations(fewer, 1, 10) == layer[10] + 2 * layer[5] + layer[2] + head


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({0: 50}, "keep_tokens: after layer 0; give layers from 1 to 2"),
        ({3: 50}, "keep_tokens: after layer 3; give layers from 1 to 2"),
        ({1: 100}, "keep_tokens: 100 percent after layer 1; give 1 to 99"),
        (
            {1: 50, 2: 50},
            "keep_tokens: 50 percent after layer 2, where 50 are left after layer 1; "
            "give falling percents",
        ),
    ],
)
def test_wrong_places_are_refused(kept: dict[int, int], said: str) -> None:
    assert places_problem(kept, 3) == said
    with (
        pytest.raises(ExportError, match=said.partition(";")[0]),
        fewer_tokens(tiny_model("xlm-roberta").eval(), kept),
    ):
        pass


def test_what_cannot_leave_tokens_out_is_refused() -> None:
    def checked(artifact: Artifact, **keys: Any) -> Artifact:
        config = exporting.Config(
            name="b", stage="export", model="m", keep_tokens={4: 50}, precision="int8", **keys
        )
        return exporting.check(config, {"model": [artifact]})

    tuned = Artifact("checkpoint", task="xnli", family="xlm-roberta")
    assert checked(tuned).shortened
    assert checked(Artifact("checkpoint", None, True, head=HeadFacts("pair"))).shortened
    refused = [
        (Artifact("checkpoint", task="udpos"), {}, "a head with one answer per text"),
        (Artifact("checkpoint"), {}, "a head with one answer per text"),
        (
            Artifact("checkpoint", task="xnli", family="modernbert"),
            {},
            "not for modernbert: its layers need",
        ),
        (tuned, {"runtime": "torch"}, "set runtime: onnxruntime or openvino"),
    ]
    for artifact, keys, said in refused:
        with pytest.raises(StageInputError, match=said):
            checked(artifact, **keys)
    for name in ("deberta-v2", "modernbert"):
        with (
            pytest.raises(
                ExportError, match=f"not for {name}: its layers need the places of all tokens"
            ),
            fewer_tokens(tiny_model(name).eval(), {1: 50}),
        ):
            pass
