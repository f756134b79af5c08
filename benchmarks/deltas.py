"""How much each intermediate task changes each target task, in points of the zero-shot mean.

python benchmarks/deltas.py prepare DATA_DIR WORK
lingopress run stilts/mini --data-dir WORK          # again with --set seed=2, --workspace elsewhere
python benchmarks/deltas.py table REPORT [REPORT ...]

`prepare`: a directory of links to DATA_DIR in which Cosmos QA's validation rows, where its training
file is not at hand, are cut into nine tenths to train on and a last tenth for dev. `table`: of the
`report.json` of one run per seed. A cell is the mean over seeds of the difference from the models
without an intermediate task; its interval that of the paired bootstrap over rows where there is one
seed, else Student's over seeds. `*`: the interval does not contain zero.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import intermediates
from passes import table
from scipy import stats

from evalsuite.report.figures.labels import parse
from evalsuite.results.run import RunRecord
from evalsuite.results.task import TaskResult

FIRST = "none"
COSMOS = "cosmosqa"


def prepare(data_dir: Path, work: Path) -> None:
    """Link everything, cut one file."""
    work.mkdir(parents=True, exist_ok=True)
    for folder in sorted(data_dir.iterdir()):
        if folder.is_dir() and not (work / folder.name).exists() and folder.name != COSMOS:
            (work / folder.name).symlink_to(folder.resolve())
    train, valid = (work / COSMOS / f"{split}-en.csv" for split in ("train", "valid"))
    if (data_dir / COSMOS / train.name).is_file():
        train.parent.symlink_to((data_dir / COSMOS).resolve())
    elif not train.is_file():
        intermediates.cut_in_two(data_dir / COSMOS / valid.name, (train, valid))


def before(result: TaskResult) -> str:
    """The intermediate task of a scored model: `tuned[before=snli,target=xnli]`, or `snli`."""
    label = parse(result.model.label)
    name = dict(label.variables).get("before", label.family)
    return FIRST if "/" in name else name  # the encoder itself, by its place


def zero_shot(result: TaskResult) -> float:
    """The mean over the other languages, or the one language there is."""
    found = result.zero_shot()
    assert found is not None
    return found


def cell(seeds: Sequence[TaskResult], without: Sequence[TaskResult]) -> str:
    """Of one intermediate task and target: difference and interval."""
    moved = [zero_shot(one) - zero_shot(base) for one, base in zip(seeds, without, strict=True)]
    mean = statistics.fmean(moved)
    if len(moved) > 1:
        error = statistics.stdev(moved) / len(moved) ** 0.5
        half = float(stats.t.ppf(0.975, len(moved) - 1)) * error
        low, high = mean - half, mean + half
    else:
        comparison = seeds[0].comparison
        if comparison is None:
            return f"{mean:+.1f} (no interval: not compared)"
        if comparison.zero_shot_interval is None:
            return f"{mean:+.1f} ({intermediates.NO_INTERVAL})"
        low, high = comparison.zero_shot_interval
    mark = "*" if low > 0 or high < 0 else ""
    return f"{mean:+.1f}{mark} ({low:+.1f} to {high:+.1f})"


def deltas(runs: Sequence[RunRecord]) -> str:
    """One row per intermediate task, one column per target."""
    found: dict[str, dict[str, list[TaskResult]]] = {}
    for run in runs:
        for result in run.scores:
            found.setdefault(before(result), {}).setdefault(result.title, []).append(result)
    titles = list(found[FIRST])
    rows = [[FIRST, *(_scores(found[FIRST][title]) for title in titles)]]
    for name, own in found.items():
        if name != FIRST:
            rows.append([name, *(cell(own[title], found[FIRST][title]) for title in titles)])
    return table(["before", *titles], rows)


def _scores(seeds: Sequence[TaskResult]) -> str:
    scores = [zero_shot(result) for result in seeds]
    around = f" (sd {statistics.stdev(scores):.1f})" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.1f}{around}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(dest="what", required=True)
    one = commands.add_parser("prepare")
    one.add_argument("data_dir", type=Path)
    one.add_argument("work", type=Path)
    two = commands.add_parser("table")
    two.add_argument("reports", type=Path, nargs="+")
    said = parser.parse_args()
    if said.what == "prepare":
        prepare(said.data_dir, said.work)
    else:
        print(deltas([RunRecord.model_validate(json.loads(p.read_text())) for p in said.reports]))
