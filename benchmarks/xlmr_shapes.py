"""XLM-R base and large shapes with random weights through the whole path, with peak memory.

python benchmarks/xlmr_shapes.py base|large [WORK_DIR]

Makes a checkpoint of that shape (its whole table over a small real tokenizer), then runs
NF4 + LoRA training, fuse, distillation to six layers, int8 export and the speed measurement, each
stage in a new process, which gives the peak memory of that stage. Accuracy means nothing here.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SHAPES = {  # layers, width, heads, feed-forward width, vocabulary
    "base": (12, 768, 12, 3072, 250_002),
    "large": (24, 1024, 16, 4096, 250_002),
    "small": (6, 384, 12, 1536, 60_000),
    "tiny": (2, 64, 2, 128, 4_000),
    "xl": (2, 2560, 32, 10_240, 250_880),  # XLM-R XL, 2 of its 36 layers
    "xl-words": (2, 2560, 32, 10_240, 60_000),  # with fewer pieces, to train all of it
}

RECIPE = """
name: shapes
description: XLM-R {size} shape, random weights.
source: embedded
seed: 1
stages:
  - {{name: adapter, stage: train, model: {model}, tasks: [xnli], method: lora, precision: nf4, embeddings: bf16, rank: 16, batch_size: 8, max_steps: 4, max_examples: 64, learning_rate: 2.0e-4}}
  - {{name: teacher, stage: fuse, model: adapter, probe: 2}}
  - {{name: student, stage: distill, teacher: teacher, tasks: [xnli], layers: 6, batch_size: 8, max_steps: 3, max_examples: 64, max_pairs: 20, learning_rate: 1.0e-4}}
  - {{name: int8, stage: export, model: student, precision: int8, probe: 2, min_agreement: 0}}
  - {{name: speed, stage: benchmark, models: [teacher, student, int8], sentence_count: 24, passes: 1}}
"""  # noqa: E501


def config(size: str) -> Any:
    """The config of a shape, of the family it is of."""
    from transformers import AutoConfig

    layers, hidden, heads, ffn, rows = SHAPES[size]
    return AutoConfig.for_model(
        "xlm-roberta-xl" if size.startswith("xl") else "xlm-roberta",
        vocab_size=rows,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=ffn,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        id2label={0: "no", 1: "yes"},
    )


def make(size: str, directory: Path, head: str | None = None, words: Any = None) -> None:
    """Save a random checkpoint of the shape, with `words`, or a tokenizer of the embedded text."""
    import torch

    from evalsuite.data.embedded import generate as embedded
    from evalsuite.opening.pretrained import from_config
    from evalsuite.runtimes.torch import auto_class
    from transfer.text import vocabulary

    torch.manual_seed(0)
    from_config(auto_class(head), config(size)).save_pretrained(directory)
    if words is None:
        lines = [row.foreign for row in embedded.parallel("train", "de")]
        words = vocabulary.train_unigram(lines, 2000)
    vocabulary.save(words, directory, 512)


def main(size: str, work: Path) -> None:
    """Run stage by stage and print what each took."""
    work.mkdir(parents=True, exist_ok=True)
    model = work / f"xlmr-{size}"
    if not (model / "config.json").is_file():
        child = [sys.executable, __file__, "--make", size, str(model)]
        subprocess.run(child, check=True)
    recipe = work / f"{size}.yaml"
    recipe.write_text(RECIPE.format(size=size, model=model), encoding="utf-8")
    for stage in ("adapter", "teacher", "student", "int8", "speed"):
        subprocess.run([sys.executable, __file__, "--stage", stage, str(recipe)], check=True)


def one(stage: str, recipe: Path) -> None:
    """Run up to one stage in this process and print its peak memory and facts."""
    from recipes.cli.app import main as lingopress

    workspace = recipe.parent / "workspace"
    arguments = ["run", str(recipe), "--workspace", str(workspace), "--until", stage, "--quiet"]
    try:
        lingopress(arguments)
    except SystemExit as end:
        if end.code:
            raise
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in usage) / 1e6
    manifest = json.loads((workspace / "runs" / "shapes" / stage / "lingopress.json").read_text())
    record = manifest.get("record", manifest)
    print(f"{recipe.stem} {stage}: peak {peak:.2f} GB, {record['seconds']:.0f} s")
    for name, value in record["summary"].items():
        print(f"    {name}: {value}")
    for path in sorted((workspace / "runs" / "shapes" / stage).glob("[0-9]*.json")):
        speed = json.loads(path.read_text())
        peak = speed["peak_memory"] / 1e9
        print(f"    {speed['model']['label']}: peak {peak:.2f} GB while it was measured")


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        make(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1] == "--stage":
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        where = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp())
        main(sys.argv[1], where)
