"""Open checkpoints for training, with the head a task needs; write what a stage publishes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import BitsAndBytesConfig

from evalsuite import tokenization
from evalsuite.errors import ModelError
from evalsuite.find_family import find_type
from evalsuite.inference.checkpoint_config import (
    answers_of,
    head_of,
    labels_of,
    max_length_of,
    model_config,
)
from evalsuite.inference.label_order import few, naming_hint, places
from evalsuite.inference.open_model import refuse_pickle
from evalsuite.inference.task_head import PROBLEMS, answers_of_task, head_of_task, suits
from evalsuite.opening.pretrained import from_pretrained, open_with_report
from evalsuite.opening.tokenizer import TOKENIZER
from evalsuite.opening.validated import TRAINING_FILE
from evalsuite.opening.weight_files import shapes
from evalsuite.runtimes.torch import auto_class
from evalsuite.task import Task
from transfer.loop.types import Summary
from transfer.models import label_rows
from transfer.models.sentence_files import complete_sentence_files, copy_sentence_files
from transfer.models.write_tokenizer import write_tokenizer
from transfer.precision.quantized_embedding import QuantizedEmbedding

Precision = Literal["fp32", "bf16", "int8", "nf4"]
Embeddings = Literal["fp32", "bf16", "int8", "int4"]
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "sentencepiece.bpe.model",
)
# bitsandbytes would quantize the heads too, and training them then fails with "only Tensors of
# floating point dtype can require gradients".
_HEADS = ["classifier", "qa_outputs", "lm_head", "score", "pooler"]
_NF4_BLOCK = 64  # weights that share a scale


def quantization(
    precision: Precision, config: dict[str, Any], compute: torch.dtype = torch.float32
) -> BitsAndBytesConfig | None:
    """bitsandbytes settings: LLM.int8 (Dettmers et al. 2022) or NF4 with double quantization
    (QLoRA, Dettmers et al. 2023); task heads stay in floating point, and so does the small linear
    layer that takes narrower word embeddings to the width.

    Args:
        config: the checkpoint's.
        compute: what NF4 multiplies in.

    Raises:
        ModelError: the checkpoint's widths are none that NF4 takes here.
    """
    widths = (config.get("hidden_size", 64), config.get("intermediate_size", 64))
    on_cpu = not torch.cuda.is_available()
    if precision == "nf4" and on_cpu and any(width % _NF4_BLOCK for width in widths):
        raise ModelError(
            f"on CPU, precision: nf4 needs widths that are multiples of {_NF4_BLOCK}; this model "
            f"has {widths[0]} and {widths[1]}; use another precision, such as int8"
        )
    family = find_type(config.get("model_type"))
    names = [*_HEADS, *(family.heads if family is not None else ())]
    names += [family.projection] if family is not None and family.projection else []
    heads = [*names, *(rf".*\.{name}" for name in names)]  # a BERT's pooler is in its encoder
    if precision == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=heads)
    if precision == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
            llm_int8_skip_modules=heads,
        )
    return None


def load(
    directory: Path,
    task: Task | None,
    precision: Precision = "fp32",
    *,
    new_head: bool = False,
) -> tuple[Any, bool]:
    """Open a checkpoint with `task`'s head; True where the checkpoint's own head was kept.

    The head is kept where it answers as the task asks (MNLI to XNLI); labels are matched by
    their names and put in the task's order. Otherwise its last layer is new.

    Args:
        new_head: the checkpoint's own head may be missing: another one takes its place.

    Raises:
        ModelError: it does not open.
        PickleRefusedError: the weights are a pickle.
    """
    config = _checkpoint(directory)
    extra: dict[str, Any] = {}
    kept = False
    if task is not None and task.labels:
        kept = fits(config, task)
        extra = {
            "id2label": dict(enumerate(task.labels)),
            "label2id": {label: index for index, label in enumerate(task.labels)},
        }
    model, loading = open_with_report(
        auto_class(head_of_task(task) if task else None),
        directory,
        dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        quantization_config=quantization(precision, config),
        new_head=new_head or (bool(extra) and not kept),
        **extra,
    )
    if task is not None and extra and not (kept or new_head):
        _refuse_other_rows(directory, model, config, task)
    if kept and task is not None:
        if len(task.labels) > 1 and labels_of(config) != task.labels:
            label_rows.move_rows(model, places(task.labels, labels_of(config)))
    elif extra and not _begun_anew(model, loading):
        label_rows.renew(model)
    if task is not None:
        model.config.finetuning_task = task.name
        # What transformers wrote there for another task's head may be refused with this one's.
        model.config.problem_type = PROBLEMS[answers_of_task(task)]
    return model, kept


def fits(config: dict[str, Any], task: Task) -> bool:
    """Whether the head of a checkpoint answers as the task asks, whatever its labels' order."""
    alike = head_of(config) == head_of_task(task)
    return alike and suits(task, labels_of(config), answers_of(config))


def head_origin(directory: Path, task: Task, kept: bool) -> str:
    """Where the head comes from, for a stage's summary; `kept` is what `load` gave."""
    config = model_config(directory)
    own = labels_of(config)
    if kept:
        turned = len(own) > 1 and fits(config, task) and own != task.labels
        return "carried over" + ", its labels put in the task's order" * turned
    numbers = head_of(config) == head_of_task(task) and naming_hint(
        own, task.labels, directory.name
    )
    unnamed = f": its labels {few(own)} have no names (id2label in its config.json)"
    return "new" + (unnamed if numbers else "")


def _refuse_other_rows(directory: Path, model: Any, config: dict[str, Any], task: Task) -> None:
    """Raise ModelError where a head of the task's kind has not a row per label of its config."""
    if head_of(config) != head_of_task(task):
        return
    name, _ = label_rows.output_layer(model)
    stored = shapes(directory).get(f"{name}.weight")
    own = labels_of(config)
    if stored is not None and stored[0] != len(own):
        raise ModelError(
            f"{directory / 'config.json'} has {len(own)} labels ({few(own)}), but {name} in the "
            f"weights has {stored[0]} rows; copy config.json again"
        )


def _begun_anew(model: Any, loading: dict[str, Any]) -> bool:
    """Whether the checkpoint has no last layer of a head in this shape."""
    name, _ = label_rows.output_layer(model)
    absent = {*loading["missing_keys"], *(key for key, *_ in loading["mismatched_keys"])}
    return f"{name}.weight" in absent


def frozen(directory: Path, precision: Precision) -> Any:
    """The model a checkpoint holds, with its own head if it has one, to be run and not trained.

    Raises: as `load`.
    """
    config = _checkpoint(directory)
    return from_pretrained(
        auto_class(head_of(config)),
        directory,
        dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        quantization_config=quantization(precision, config),
    ).eval()


def _checkpoint(directory: Path) -> dict[str, Any]:
    """The config of a whole checkpoint without pickled weights."""
    refuse_pickle(directory)
    if (directory / "adapter_config.json").is_file():
        raise ModelError(f"{directory} is an adapter; fuse it first")
    return model_config(directory)


def longest(directory: Path, asked: int) -> int:
    """Tokens of the longest sequence: `asked`, or as many as the model has positions for."""
    return min(asked, max_length_of(model_config(directory)))


def truncation_summary(max_length: int, longest: int) -> Summary:
    """A line of a stage's summary where the model takes shorter sequences than `max_length`."""
    if longest >= max_length:
        return {}
    return {
        "longest sequence": f"{longest} tokens, the model's limit; max_length asks for {max_length}"
    }


def keep_codes(model: Any) -> None:
    """Have NF4 layers leave their codes as they are.

    On a processor with AVX512-BF16 bitsandbytes (0.50) rearranges them at the first forward outside
    training, and what peft's DoRA then dequantizes at every forward are other weights.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def hold_embeddings(model: Any, held: Embeddings) -> None:
    """Hold the word embeddings in bf16, or as rows of 8 or 4 bits, frozen, and hand the layers the
    precision they expect.

    bitsandbytes does not change embeddings, and in XLM-R base they are 192M of 278M parameters: a
    base is not quantized until they are.

    Raises:
        ModelError: rows of 4 bits are packed two a byte, and these do not halve.
    """
    table = model.get_input_embeddings()
    before = table.weight.dtype
    if held in ("int8", "int4"):
        if held == "int4" and table.embedding_dim % 2:
            raise ModelError(
                f"embeddings: int4: rows of {table.embedding_dim} do not halve; use int8"
            )
        model.set_input_embeddings(QuantizedEmbedding.of(table, bits=int(held[3:])))
    elif held == "bf16" and before != torch.bfloat16:
        table.weight.data = table.weight.data.to(torch.bfloat16)
        table.register_forward_hook(lambda module, args, output: output.to(before))


def round_embeddings(model: Any, held: Embeddings) -> None:
    """The values that `hold_embeddings` keeps of the word embeddings, in a table as before."""
    table = model.get_input_embeddings()
    if held in ("int8", "int4"):
        table.weight.data = QuantizedEmbedding.of(table, bits=int(held[3:])).dequantized()
    elif held == "bf16":
        table.weight.data = table.weight.data.to(torch.bfloat16).to(table.weight.dtype)


def memory(model: Any) -> dict[str, float]:
    """Megabytes of parameters and buffers: embeddings, and all else."""
    embeddings, total = _bytes(model.get_input_embeddings()), _bytes(model)
    return {"embeddings MB": embeddings / 1e6, "other weights MB": (total - embeddings) / 1e6}


def _bytes(module: Any) -> int:
    return sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer's files; write `tokenizer.json` where an older file is alone. What the
    checkpoint declares of its sentence vectors is copied too."""
    copy_sentence_files(source, target)
    if not (source / TOKENIZER).is_file():
        write_tokenizer(tokenization.load(source), source, target)
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def save(model: Any, tokenizer_from: Path, out: Path, card: str) -> None:
    """Write a checkpoint plain transformers opens: safetensors, config, tokenizer, model card.

    sentence-transformers opens an encoder, too.
    """
    model.save_pretrained(out)
    copy_tokenizer(tokenizer_from, out)
    complete_sentence_files(out)
    (out / "README.md").write_text(card, encoding="utf-8")


def write_training(out: Path, **facts: Any) -> None:
    """Record next to an adapter which base it was trained on."""
    (out / TRAINING_FILE).write_text(json.dumps(facts, indent=2), encoding="utf-8")
