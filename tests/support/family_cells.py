"""The contract of a model family: the stages a model goes through, and what each has to show.

Models are transformers' own classes of each family with random weights, 3 layers of width 64, and
the tests' tokenizer of 32,000 pieces. Each cell is a stage, run by a recipe of what it needs;
it works, or is refused at `check`. `benchmarks/family_contract.py` runs all of them, and writes the
tables of docs/families.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.errors import FamilyError
from evalsuite.family import Family
from evalsuite.family_classes import MASKED_LM, class_name
from evalsuite.registry import FAMILIES
from evalsuite.task import DataSource
from tests.support.small_tokenizer import TOKENIZER

ROOT = Path(__file__).resolve().parents[2]
SHAPE = {
    "num_hidden_layers": 3, "hidden_size": 64, "num_attention_heads": 4,
    "max_position_embeddings": 130, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    "cls_token_id": 0, "sep_token_id": 2, "type_vocab_size": 1, "initializer_range": 0.1,
}  # fmt: skip
# What a config of a family needs to be like the models people use.
LIKE_REAL: dict[str, dict[str, Any]] = {
    "deberta-v2": {
        "relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True, "norm_rel_ebd": "layer_norm", "position_biased_input": False,
    },
    "electra": {"embedding_size": 48},
    "modernbert": {"local_attention": 16},
}  # fmt: skip

_STEPS = (
    "max_steps: 20, batch_size: 8, max_length: 48, max_examples: 200, learning_rate: 1.0e-3, "
    "compute: fp32"
)
_LORA = f"{_STEPS}, rank: 4".replace("1.0e-3", "1.0e-2")
_TEACH = f"tasks: [snli], {_STEPS}, multilingual: 0, probe: 4, probe_task: xnli, min_agreement: 0"
_PRUNE = f"{_TEACH}, importance_rows: 32"
_PROBE = "probe: 16"
_NLI = f"{_PROBE}, probe_task: xnli"
_SPANS = f"{_PROBE}, probe_task: xquad"
_SOME = "languages: [en, de, sw], max_examples: 40"
STAGES = {
    "nli": f"stage: train, model: BASE, tasks: [snli], method: full, {_STEPS}",
    "tags": f"stage: train, model: BASE, tasks: [udpos], method: full, {_STEPS}",
    "spans": f"stage: train, model: BASE, tasks: [tydiqa], method: full, {_STEPS}",
    "lora-fp32": f"stage: train, model: BASE, tasks: [snli], method: lora, {_LORA}",
    "lora-nf4": f"stage: train, model: BASE, tasks: [snli], method: lora, precision: nf4, {_LORA}",
    "lora-int8": f"stage: train, model: BASE, tasks: [snli], method: lora, precision: int8, "
    f"{_LORA}",
    "fused-fp32": f"stage: fuse, model: lora-fp32, {_NLI}",
    "fused-nf4": f"stage: fuse, model: lora-nf4, {_NLI}",
    "fused-int8": f"stage: fuse, model: lora-int8, {_NLI}",
    "fewer": f"stage: distill, teacher: nli, layers: 2, {_TEACH}",
    "narrower": f"stage: distill, teacher: nli, width: 32, heads: 2, ffn: 64, hidden: 0, {_TEACH}",
    "related": f"stage: distill, teacher: nli, layers: 2, hidden: 0, relations: 1, {_TEACH}",
    "cut-heads": f"stage: prune, model: nli, heads: 2, {_PRUNE}",
    "cut-units": f"stage: prune, model: nli, ffn: 0.5, {_PRUNE}",
    "cut-layers": f"stage: prune, model: nli, layers: 2, {_PRUNE}",
    "trimmed": "stage: trim, model: nli, languages: [de, sw], max_lines: 3000, "
    f"{_NLI}, min_agreement: 0",
    "ort-fp32": f"stage: export, model: nli, {_NLI}, min_agreement: 100",
    "ort-int8": f"stage: export, model: nli, precision: int8, {_NLI}, min_agreement: 0",
    "ov-fp32": f"stage: export, model: nli, runtime: openvino, {_NLI}, min_agreement: 100",
    "ov-int8": "stage: export, model: nli, runtime: openvino, precision: int8, "
    f"calibration_rows: 8, {_NLI}, min_agreement: 0",
    "ort-tags": f"stage: export, model: tags, {_PROBE}, min_agreement: 100",
    "ov-spans": f"stage: export, model: spans, runtime: openvino, {_SPANS}, min_agreement: 100",
    "nli-scores": f"stage: evaluate, models: [nli, ort-fp32], tasks: [xnli], {_SOME}",
    "tag-scores": "stage: evaluate, models: [tags], tasks: [udpos], "
    "languages: [en, de, es], max_examples: 40",
    "span-scores": "stage: evaluate, models: [spans], tasks: [xquad], "
    "languages: [en, de], max_examples: 20",
    "found": "stage: evaluate, models: [BASE, nli], tasks: [tatoeba], languages: [de, sw], "
    "max_examples: 40",
    "speed": "stage: benchmark, models: [nli, ort-fp32, ort-int8], sentence_count: 24, "
    "passes: 1, batch_sizes: [2], lengths: [16], threads: 1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A stage that ran: its summary and its output, the output of `nli`, and the text to read."""

    summary: Mapping[str, Any]
    path: Path
    nli: Path
    source: DataSource


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the table.

    Attributes:
        title: of the row.
        stage: the stage that is run for it.
        measure: what the table says where it ran.
        bound: largest value that is right, where a number is measured.
    """

    title: str
    stage: str
    measure: Callable[[Made], str | float] = lambda made: "works"
    bound: float | None = None


def agreement(made: Made) -> str:
    """Share of labels that are those of torch; largest difference of logits."""
    return f"{made.summary['agreement %']:g}%, {shown(made.summary['max difference'])}"


def shown(difference: float) -> str:
    """A difference with one digit; summaries have five places."""
    return f"{difference:.0e}" if difference >= 1e-5 else "below 1e-05"


def fused_difference(made: Made) -> float:
    """Largest difference of logits from the live adapter's, on the base it was trained on."""
    found = {key: value for key, value in made.summary.items() if key.endswith("max difference")}
    return float(found.get("dequantized: max difference", next(iter(found.values()))))


def trimmed_difference(made: Made) -> float:
    """Largest difference of hidden states, over all layers, on text whose pieces are kept."""
    import torch

    from evalsuite import tokenization
    from evalsuite.inference.probe_text import Probe
    from evalsuite.registry import TASKS
    from evalsuite.runtimes.torch import load_checkpoint

    old = json.loads((made.path / "trim.json").read_text("utf-8"))["old_ids"]
    new = {piece: number for number, piece in enumerate(old)}
    probe = Probe(TASKS.get("xnli"), made.source, 40).sequences(tokenization.load(made.nli), 64)
    whole, small = load_checkpoint(made.nli), load_checkpoint(made.path)
    largest, seen = 0.0, 0
    for ids in (item.ids for items in probe.values() for item in items):
        if not new.keys() >= set(ids):
            continue
        seen += 1
        with torch.inference_mode():
            before, after = (
                model(torch.tensor([row]), output_hidden_states=True).hidden_states
                for model, row in ((whole, ids), (small, [new[piece] for piece in ids]))
            )
        differences = (float((a - b).abs().max()) for a, b in zip(before, after, strict=True))
        largest = max(largest, *differences)
    assert seen > 20, f"{seen} sequences whose pieces are all kept"
    return largest


def operations_difference(made: Made) -> float:
    """By how much the count from the config differs from what torch counts, in percent."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from evalsuite.bench import flops
    from evalsuite.inference.checkpoint_config import model_config
    from evalsuite.opening.pretrained import from_pretrained
    from evalsuite.runtimes.torch import auto_class

    model = from_pretrained(auto_class("pair"), made.nli, attn_implementation="eager").eval()
    model.requires_grad_(False)
    ids = torch.randint(5, 1000, (2, 33))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    counted = flops.operations(flops.encoder(model_config(made.nli)), 2, 33)
    return float(100 * abs(counted / counter.get_total_flops() - 1))


CELLS = (
    Cell("train, full", "nli"),
    Cell("train, LoRA on fp32", "lora-fp32"),
    Cell("train, LoRA on NF4", "lora-nf4"),
    Cell("train, LoRA on int8", "lora-int8"),
    Cell("fuse, fp32: difference from the live adapter", "fused-fp32", fused_difference, 1e-4),
    Cell("fuse, NF4: difference from the live adapter", "fused-nf4", fused_difference),
    Cell("fuse, int8: difference from the live adapter", "fused-int8", fused_difference),
    Cell("distill, fewer layers", "fewer"),
    Cell("distill, narrower", "narrower"),
    Cell("distill, relations", "related"),
    Cell("prune, heads", "cut-heads"),
    Cell("prune, units", "cut-units"),
    Cell("prune, layers", "cut-layers"),
    Cell("trim: difference of hidden states", "trimmed", trimmed_difference, 1e-5),
    Cell("export, ONNX Runtime fp32: labels as torch", "ort-fp32", agreement),
    Cell("export, ONNX Runtime int8", "ort-int8", agreement),
    Cell("export, OpenVINO fp32: labels as torch", "ov-fp32", agreement),
    Cell("export, OpenVINO int8", "ov-int8", agreement),
    Cell("evaluate, sentence pairs", "nli-scores"),
    Cell("evaluate, tags", "tag-scores"),
    Cell("evaluate, spans", "span-scores"),
    Cell("evaluate, retrieval", "found"),
    Cell("benchmark", "speed"),
    Cell("export, ONNX Runtime fp32, tags", "ort-tags", agreement),
    Cell("export, OpenVINO fp32, spans", "ov-spans", agreement),
    Cell("operations: percent from torch's own count", "nli", operations_difference, 1.0),
)


def families() -> list[Family]:
    """All there are, by name."""
    return sorted((FAMILIES.get(name) for name in FAMILIES.names()), key=lambda one: one.name)


def write_base(family: Family, folder: Path) -> Path:
    """An encoder of random weights, with a tokenizer."""
    import torch
    from transformers import AutoModel

    from evalsuite.find_family import config_of
    from evalsuite.inference.checkpoint_config import read_config
    from evalsuite.opening.pretrained import from_config
    from transfer.models.checkpoints import copy_tokenizer

    out = folder / f"{family.name}-base"
    if out.is_dir():
        return out
    pieces = {"vocab_size": read_config(TOKENIZER)["vocab_size"], family.feed_forward_key: 128}
    config = config_of(
        {"model_type": family.name} | SHAPE | pieces | LIKE_REAL.get(family.name, {})
    )
    torch.manual_seed(0)
    from_config(AutoModel, config).save_pretrained(out)
    copy_tokenizer(TOKENIZER, out)
    return out


def needed(stage: str) -> list[str]:
    """A stage and all it is made from, in the order of `STAGES`."""
    words = set(re.findall(r"[\w-]+", STAGES[stage])) & (STAGES.keys() - {stage})
    found = {stage}.union(*(needed(name) for name in words))
    return [name for name in STAGES if name in found]


def recipe(stage: str, base: Path, source: str) -> str:
    """A recipe of one stage and what it is made from."""
    lines = [
        f"  - {{name: {name}, {STAGES[name].replace('BASE', str(base))}}}" for name in needed(stage)
    ]
    text = f"name: contract\nsource: {source}\nseed: 1\nstages:\n" + "\n".join(lines) + "\n"
    if source == "embedded":  # it has no rows of SNLI, and tests want little training
        text = text.replace("snli", "xnli").replace("max_steps: 20", "max_steps: 3")
    return text


def run_cell(cell: Cell, family: Family, folder: Path, source: DataSource) -> str:
    """What the table says; `failed: ...` where it neither worked nor was refused at check."""
    from recipes.errors import RecipeError
    from recipes.run import run_recipe

    base = write_base(family, folder)
    file = folder / "recipe.yaml"
    file.write_text(recipe(cell.stage, base, source.kind), encoding="utf-8")
    try:
        outcome = run_recipe(
            str(file), data_dir=source.data_dir, workspace=folder / f"{family.name}-workspace"
        )
        made = {stage.label: stage for stage in outcome.stages}
        one, nli = made[cell.stage], made.get("nli")
        value = cell.measure(Made(one.record.summary, one.path, nli.path if nli else base, source))
    except RecipeError as error:
        return f"refused: {str(error).splitlines()[-1].strip()}"
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}"
    if not isinstance(value, float):
        return value
    if cell.bound is not None and value > cell.bound:
        return f"failed: {value:.1e} is over {cell.bound:g}"
    return shown(value)


def declared() -> str:
    """The table of what families say, in Markdown."""
    formats = ("pair", "tagging", "span", "choice", "retrieval", MASKED_LM)
    lines = ["| family | layers | attention | positions | LoRA's default targets |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for family in families():
        fused = family.layer.query == family.layer.key
        norms = "norms first" if family.layer.norm_first else "norms after"
        gates = "gated units" if family.layer.gated else "plain units"
        matrices = "one fused matrix" if fused else "three matrices"
        targets = ", ".join(f"`{name}`" for name in family.lora)
        lines.append(
            f"| {family.name} | `{family.stack}`, {norms}, {gates} | {matrices} | "
            f"{family.positions} | {targets} |"
        )
    lines += ["", "| family | " + " | ".join(formats) + " |", "| --- " * (len(formats) + 1) + "|"]
    for family in families():
        names = [_class(family, format) for format in formats]
        lines.append(f"| {family.name} | {' | '.join(names)} |")
    lines += ["", "| family | what it cannot do | why |", "| --- | --- | --- |"]
    for family in families():
        for what, why in (
            ("a student or a pruned model without its first layer", family.fixed_first),
            ("attention heads of fewer dimensions in a narrower student", family.fixed_dimensions),
            ("a bundle whose last layer computes the first token alone", family.not_first_token),
        ):
            if why:
                lines.append(f"| {family.name} | {what} | {why} |")
    return "\n".join(lines) + "\n"


def _class(family: Family, format: str) -> str:
    try:
        return f"`{class_name(family, format)}`"
    except FamilyError:
        return "none"


def table(results: Mapping[str, Mapping[str, str]]) -> str:
    """What was measured, in Markdown; reasons of refusals below it."""
    names = [family.name for family in families()]
    reasons: list[str] = []
    lines = ["| stage | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    for cell in CELLS:
        values = []
        for name in names:
            value = results.get(name, {}).get(cell.title, "not run")
            if value.startswith("refused: "):
                reason = value.removeprefix("refused: ")
                reasons += [reason] * (reason not in reasons)
                value = f"refused ({reasons.index(reason) + 1})"
            values.append(value)
        lines.append(f"| {cell.title} | " + " | ".join(values) + " |")
    notes = "\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))
    return "\n".join(lines) + "\n" + (f"\n{notes}\n" if notes else "")
