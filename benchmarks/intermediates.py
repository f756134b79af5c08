"""Does each intermediate task learn? Its dev score after training, compared with the majority.

python benchmarks/intermediates.py [--model DIR] [--data-dir DIR] [--steps N] [--rate R]
    [--tasks NAME ...]

Without --data-dir on generated rows in the form each task was published in (tests/support), which
every task should learn within some hundred steps of a small model. With it on real files in the
XTREME layout: a task's own train and dev files, or where one of them is absent nine tenths of the
other's rows to train on and the rest for dev; TyDiQA's and XQuAD's English questions for those of
SQuAD 1.1 where they are absent.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

import published  # type: ignore[import-not-found]  # noqa: E402

from evalsuite.bootstrap import LEAST_ROWS  # noqa: E402
from evalsuite.evaluate import evaluate  # noqa: E402
from evalsuite.evaluation import EvaluationOptions  # noqa: E402
from evalsuite.inference.open_model import open_model  # noqa: E402
from evalsuite.report.figures.formatting import between  # noqa: E402
from evalsuite.task import DataSource, Split, Task  # noqa: E402
from transfer.loop.fit import Settings  # noqa: E402
from transfer.registry import INTERMEDIATE_TASKS  # noqa: E402
from transfer.supervised.options import Options  # noqa: E402
from transfer.supervised.train_tasks import train_tasks  # noqa: E402

NO_INTERVAL = f"no interval: fewer than {LEAST_ROWS} rows"
_ROWS: dict[str, dict[Split, int]] = {"squad2": {"train": 36_000, "dev": 600}}  # generated
_FEW: dict[Split, int] = {"train": 3000, "dev": 300}  # of the others
_LENGTH = {"span": 256, "choice": 160}  # tokens, 128 else
_CUT = {  # task: the file there may be, and those it is cut into
    "rte": ("rte/train-en.tsv", "rte/train-en.tsv", "rte/dev-en.tsv"),
    "snli": ("snli/train-en.tsv", "snli/train-en.tsv", "snli/dev-en.tsv"),
    "cosmosqa": ("cosmosqa/valid-en.csv", "cosmosqa/train-en.csv", "cosmosqa/valid-en.csv"),
}
_LIKE_SQUAD = {
    "squad/train-v1.1.json": "tydiqa/tydiqa.goldp.en.train.json",
    "squad/dev-v1.1.json": "xquad/xquad.en.json",
}


def main() -> None:
    """Print one line per task."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("--model", type=Path, default=ROOT / "recipes/models/e5-mini")
    asked.add_argument("--data-dir", type=Path)
    asked.add_argument("--steps", type=int, default=300)
    asked.add_argument("--rate", type=float, default=2e-4, help="learning rate")
    asked.add_argument("--dev", type=int, default=500, help="dev rows scored")
    asked.add_argument("--tasks", nargs="+", default=INTERMEDIATE_TASKS.names())
    said = asked.parse_args()
    for name in said.tasks:
        with tempfile.TemporaryDirectory() as here:
            print(_line(INTERMEDIATE_TASKS.get(name), Path(here), said), flush=True)


def _line(task: Task, here: Path, said: argparse.Namespace) -> str:
    folder = here / "data"
    folder.mkdir()
    if said.data_dir is None:
        made = "anliplus" if task.name in ("mnli", "snli") else task.name  # whose files have theirs
        published.write(made, folder, _ROWS.get(made, _FEW))
        source = DataSource("xtreme", folder)
    else:
        source = _real(task, said.data_dir, folder)
    if not (task.available(source, "train") and task.available(source, "dev")):
        return f"{task.name}: no files"
    options = Options(
        method="full",
        batch_size=16,
        epochs=100,
        max_steps=said.steps,
        max_length=_LENGTH.get(task.format, 128),
        settings=Settings(said.rate, seed=1),
        method_options={"freeze_embeddings": True},
    )
    done = train_tasks(said.model, [task], source, options, work=here / "work", out=here / "out")
    model = open_model(here / "out")
    found = evaluate(
        *(model, task, source),
        label="it",
        out=here,
        options=EvaluationOptions(split="dev", max_examples=said.dev),
    )
    score, chance = found.metrics[task.metric]["en"], found.chance["en"]
    certain = between(found.intervals.get("en")) or NO_INTERVAL
    others = {n: v["en"] for n, v in found.metrics.items() if n != task.metric}
    return (
        f"{task.name}: {task.metric} {score:.1f} ({certain}), majority {chance:.1f}, "
        f"{found.examples['en']} dev rows, {done.summary['steps']} steps; "
        + ", ".join(f"{name} {value:.1f}" for name, value in others.items())
    )


def _real(task: Task, data_dir: Path, folder: Path) -> DataSource:
    """The task's own files, or a directory with parts of them."""
    own = DataSource("xtreme", data_dir)
    if task.available(own, "train") and task.available(own, "dev"):
        return own
    if task.name in _CUT and (data_dir / _CUT[task.name][0]).is_file():
        one, *both = _CUT[task.name]
        cut_in_two(data_dir / one, [folder / path for path in both])
    elif task.name == "squad":
        for path, like in _LIKE_SQUAD.items():
            if (data_dir / like).is_file():
                (folder / path).parent.mkdir(exist_ok=True)
                shutil.copyfile(data_dir / like, folder / path)
    return DataSource("xtreme", folder)


def cut_in_two(path: Path, both: Sequence[Path]) -> None:
    """Nine tenths of a file's rows and the last tenth, each with the line of column names."""
    with path.open(encoding="utf-8", newline="") as file:
        quoted = path.suffix == ".csv"
        rows = (
            list(csv.reader(file))
            if quoted
            else [[line] for line in file.read().strip("\n").split("\n")]
        )
    head = rows[:1] if quoted or path.parent.name == "rte" else []
    body = rows[len(head) :]
    edge = len(body) * 9 // 10
    for target, part in zip(both, (body[:edge], body[edge:]), strict=True):
        target.parent.mkdir(exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as file:
            if quoted:
                csv.writer(file).writerows([*head, *part])
            else:
                file.writelines(f"{line}\n" for (line,) in [*head, *part])


if __name__ == "__main__":
    main()
