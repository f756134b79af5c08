"""A checkpoint harmed in one place, through predict, evaluate, train, fuse and export.

python -m benchmarks.harmed_checkpoints WORK_DIR [COUNT] [SEED]

Run it from the root of the repository: the harms are those of `tests/support/mutations.py`. Each
command of each harmed copy must end with exit code 0 and what the whole checkpoint gives, or with
exit code 2 and one message; no traceback, and none may take a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model

from evalsuite.machine.model_size import digest
from evalsuite.opening.pretrained import from_pretrained
from recipes.cli.app import main as lingopress
from tests.support.harmed import write_small
from tests.support.mutations import draw

STAGES = {
    "evaluate": "models: [MODEL], tasks: [xnli], languages: [en, de], max_examples: 10",
    "train": "model: MODEL, tasks: [xnli], method: full, compute: fp32, max_steps: 1, "
    "max_examples: 8, batch_size: 4, max_length: 24",
    "fuse": "model: ADAPTER, adapter_task: xnli, probe: 0",
    "export": "model: MODEL, runtime: torch, precision: bf16, probe: 2, min_agreement: 0",
}
LONGEST = 60.0  # seconds


def adapter_of(model: Path, out: Path) -> None:
    """An adapter of plain peft, its head among its weights."""
    base = from_pretrained(transformers.AutoModelForSequenceClassification, model)
    wrapped = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"]))
    torch.manual_seed(0)
    for weight in wrapped.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    wrapped.save_pretrained(out)
    config = json.loads((out / "adapter_config.json").read_text("utf-8"))
    text = json.dumps(config | {"base_model_name_or_path": str(model)})
    (out / "adapter_config.json").write_text(text, encoding="utf-8")


def command(*arguments: str) -> tuple[int | str, str, str]:
    """Exit code, or what was raised; standard output and error."""
    out, error = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    code: int | str = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            lingopress(list(arguments))
        except SystemExit as end:
            code = end.code or 0
        except BaseException as raised:
            code = repr(raised)
    out.seek(0)
    return code, out.read(), error.getvalue()


def use(kind: str, folder: Path, model: Path) -> tuple[int | str, Any, str]:
    """Exit code, what it gave, and its messages."""
    if kind == "predict":
        code, out, error = command("predict", str(model), str(folder / "lines.tsv"))
        return code, out, error
    workspace = folder / "workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    keys = STAGES[kind].replace("MODEL", str(model)).replace("ADAPTER", str(folder / "adapter"))
    recipe = folder / "recipe.yaml"
    stage = f"  - {{name: s, stage: {kind}, {keys}}}"
    recipe.write_text(f"name: harmed\nsource: embedded\nseed: 1\nstages:\n{stage}\n", "utf-8")
    code, _, error = command("run", str(recipe), "--workspace", str(workspace), "--quiet")
    return code, given(kind, workspace) if code == 0 else None, error


def given(kind: str, workspace: Path) -> Any:
    """Metrics of an evaluation, the digest of the weights of all else."""
    (stage,) = (workspace / "stages").glob(f"{kind}-*")
    if kind == "evaluate":
        (file,) = stage.glob("000.*.json")
        found = json.loads(file.read_text("utf-8"))
        return found["metrics"]
    return digest(stage)


def main(folder: Path, count: int = 200, seed: int = 0) -> int:
    """Print what went wrong, and how often each command ended how; 1 where anything did."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lines.tsv").write_text("a b\tc\nhello\tword zz\n", encoding="utf-8")
    whole, model = folder / "whole", folder / "model"
    write_small(whole)
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(whole, model)
    adapter_of(model, folder / "adapter")
    kinds = ("predict", *STAGES)
    right = {}
    for kind in kinds:
        code, right[kind], error = use(kind, folder, model)
        assert code == 0, (kind, code, error)
    ended: Counter[str] = Counter()
    for harm in draw(count, seed):
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(whole, model)
        harm.apply(model)
        for kind in kinds:
            started = time.perf_counter()
            code, found, error = use(kind, folder, model)
            if code == 0:
                how = "right" if found == right[kind] else "OTHER OUTPUTS"
            else:
                how = "refused" if code == 2 and "Traceback" not in error else "NO MESSAGE"
            if time.perf_counter() - started > LONGEST:
                how = "TOO SLOW"
            ended[f"{kind} {how}"] += 1
            if how.isupper():
                print(f"{kind}: {how}: {harm.name}: {code}\n{error[-600:]}", flush=True)
    for how, times in sorted(ended.items()):
        print(f"{how}: {times}")
    return int(any(how.split(" ", 1)[1].isupper() for how in ended))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the checkpoints are written")
    parser.add_argument("count", type=int, nargs="?", default=200, help="number of harms")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    asked = parser.parse_args()
    sys.exit(main(asked.folder.resolve(), asked.count, asked.seed))
