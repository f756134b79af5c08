"""Peak memory of `extend` with streamed text, and with the same text 20 times.

    python benchmarks/streaming_extend.py FOLDER [--repeats 20] [--steps 120]

16 MB of made-up words are written (`benchmarks/streaming.py`) and named once or repeatedly, three
quarters of them as German and the rest as English. A BERT of 2 layers x 32 is extended by masked
language modelling and by distillation of English lines, in a process for each. The text is
tokenized before, so that both find the token ids. The peak is the resident memory of the whole
process (`VmHWM`), torch, the training of the vocabulary and the optimizer included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streaming import peak, write_shards

from evalsuite.task import DataSource
from recipes.stages import extend as stage
from transfer.extend.extend import extend


def tiny_english(folder: Path) -> Path:
    """A BERT of 2 layers x 32 with random weights, its vocabulary from the made-up English."""
    import torch
    from tokenizers.implementations import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel

    place = folder / "english"
    if not (place / "tokenizer.json").is_file():
        torch.manual_seed(0)
        tokenizer = BertWordPieceTokenizer()
        tokenizer.train(str(folder / "text" / "sw-3.txt"), vocab_size=2000, show_progress=False)
        shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = BertConfig(vocab_size=2000, intermediate_size=64, **shape)
        BertModel(config).save_pretrained(place)
        tokenizer.save(str(place / "tokenizer.json"))
    return place


def measure(folder: Path, repeats: int, steps: int) -> None:
    """Extend, and print rows, loss and peak memory as JSON; this process is the measured one."""
    write_shards(folder / "text")
    files = {
        code: sorted(map(str, (folder / "text").glob(pattern)))
        for code, pattern in (("de", "de-*.txt"), ("en", "sw-*.txt"))
    }
    config = stage.Config.model_validate(
        {
            "name": "base",
            "stage": "extend",
            "model": "./english",
            "steps": steps,
            "batch_size": 32,
            "vocabulary": 4000,
            "vocabulary_lines": 20_000,
            "init": "random",
            "sentences": 0.3,
            "english": 1.0,
            "tlm": 0.0,
            "mlm": 0.7,
            "compute": "fp32",
            "stream": {code: paths * repeats for code, paths in files.items()},
        }
    )
    context: Any = SimpleNamespace(seed=1, tokens=folder / "tokens")
    work = folder / f"{repeats}-times-{steps}-steps"
    _, facts = extend(
        tiny_english(folder),
        DataSource("embedded"),
        stage.options(config, context),
        work=work,
        out=work / "out",
    )
    kept = ("single lines", "rows seen", "final loss", "ms per step")
    print(json.dumps({key: facts[key] for key in kept} | {"peak": peak()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--inner", nargs=2, type=int)
    given = parser.parse_args()
    if given.inner:
        measure(given.folder, *given.inner)
        return

    def run(repeats: int, steps: int) -> dict[str, Any]:
        inner = ["--inner", str(repeats), str(steps)]
        command = [sys.executable, __file__, str(given.folder), *inner]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        found: dict[str, Any] = json.loads(output.splitlines()[-1])
        return found

    run(1, 1)  # writes and tokenizes
    peaks = []
    for repeats in (1, given.repeats):
        found = run(repeats, given.steps)
        peaks.append(found["peak"])
        print(
            f"{repeats} x 16 MB, {found['single lines']:,} lines, {found['rows seen']:,} rows "
            f"seen: peak {found['peak'] / 1e6:.1f} MB, loss {found['final loss']}, "
            f"{found['ms per step']} ms per step"
        )
    print(f"peak of the larger one: {100 * peaks[1] / peaks[0] - 100:+.1f}%")


if __name__ == "__main__":
    main()
