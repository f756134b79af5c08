"""Two Ray nodes on this machine: equal scores, killed nodes, and what the cluster costs.

python benchmarks/cluster.py WORK_DIR [KILLS] [--steps N] [--seed N] [--repeats N]

A matrix of eight small trainings of e5-mini, each evaluated, and one report. It runs with
`--jobs 1`, with `--jobs 2`, and on two nodes with one CPU each, their own processes and their own
work directories, that share nothing but the directory of `--cache`. Scores and weights must be
equal, bit for bit. Then KILLS runs, each with the second node killed (SIGKILL to all its processes)
at a random moment and started again: every run must end with the same scores.

The overhead is the wall time on the two nodes over that of `--jobs 2`, with a snapshot every 30
seconds, the default; where a node is killed there is one every 2 seconds, since without a shared
disk each is copied to the cache. Nodes run before the clock starts, as a cluster's do, and each of
the two is the median of `--repeats` runs. Take it on a quiet machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

RECIPE = """
name: matrix
source: embedded
matrix: {{task: [xnli, udpos], seed: [1, 2, 3, 4]}}
stages:
  - name: trained
    stage: train
    model: "package:recipes/models/e5-mini"
    tasks: ["${{task}}"]
    seed: "${{seed}}"
    method: full
    compute: fp32
    batch_size: 8
    max_steps: {steps}
    max_length: 48
    max_examples: 200
    save_every: {save_every}
  - name: scores
    stage: evaluate
    models: ["trained[task=${{task}},seed=${{seed}}]"]
    tasks: ["${{task}}"]
    max_examples: 20
"""
PORT = 26379
VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # the loopback alone is listened on
    "RAY_ADDRESS": f"127.0.0.1:{PORT}",
}


class RayNode:
    """A node: all processes that `ray start` started, in one session."""

    def __init__(self, folder: Path, *, head: bool) -> None:
        self.folder, self.head = folder, head
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until the cluster has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = ["--head", f"--port={PORT}", "--include-dashboard=false"]
        if not self.head:
            place = [f"--address=127.0.0.1:{PORT}"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *place, "--num-cpus=1"]
        command += ["--node-ip-address=127.0.0.1", "--object-store-memory=80000000", "--block"]
        before = set() if self.head else _alive()
        printed = (self.folder / "ray.txt").open("ab")
        self.process = subprocess.Popen(
            [*command, "--disable-usage-stats"],
            stdout=printed,
            stderr=printed,
            env=os.environ | VARIABLES | {"LINGOPRESS_WORKSPACE": str(self.folder / "work")},
            start_new_session=True,
        )
        until = time.monotonic() + 120
        while not _alive() - before:  # a node that was killed is listed as alive for a while
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"a node does not start; see {self.folder / 'ray.txt'}")
            time.sleep(0.5)

    def kill(self) -> None:
        """End all its processes at once, as a machine does that loses power."""
        assert self.process is not None
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
        self.process.wait()


def _alive() -> set[str]:
    """Ids of the live nodes; none where there is no cluster."""
    code = (
        "import ray\n"
        "ray.init('auto', logging_level='ERROR', log_to_driver=False)\n"
        "print('alive', *(n['NodeID'] for n in ray.nodes() if n['Alive']))"
    )
    try:
        found = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=os.environ | VARIABLES,
            check=False,
            timeout=60,
        )
    except subprocess.TimeoutExpired:  # Ray waits long for a cluster that is not there
        return set()
    return set(found.stdout.partition("alive")[2].split())


def start(recipe: Path, workspace: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command in a child process; what it prints goes to a file."""
    workspace.mkdir(parents=True, exist_ok=True)
    printed = (workspace / "printed.txt").open("wb")
    command = [sys.executable, "-m", "recipes.cli", "run", str(recipe)]
    return subprocess.Popen(
        [*command, "--workspace", str(workspace), *options],
        stdout=printed,
        stderr=subprocess.STDOUT,
        env=os.environ | VARIABLES,
    )


def run(recipe: Path, workspace: Path, *options: str) -> float:
    """Seconds of a run from nothing."""
    shutil.rmtree(workspace, ignore_errors=True)
    began = time.monotonic()
    if start(recipe, workspace, *options).wait():
        raise SystemExit((workspace / "printed.txt").read_text())
    return time.monotonic() - began


def results(workspace: Path) -> dict[str, object]:
    """SHA-256 of every weight and predictions file, and every metric, by name."""
    found: dict[str, object] = {}
    for stage in sorted((workspace / "runs" / "matrix").iterdir()):
        for path in sorted(p for p in stage.resolve().rglob("*") if p.is_file()):
            name = f"{stage.name}/{path.relative_to(stage.resolve())}"
            if path.suffix in (".safetensors", ".tsv"):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif stage.name.startswith("scores") and path.name != "lingopress.json":
                found[name] = json.loads(path.read_text())["metrics"]
    assert len(found) > 16, found
    return found


def killed_run(
    recipe: Path, work: Path, second: RayNode, rng: random.Random, seconds: float
) -> str:
    """A run during which the second node is killed and started again; what happened, in words."""
    cache, workspace = work / "cache", work / "killed"
    for folder in (cache, workspace, *(work / name / "work" for name in ("first", "second"))):
        shutil.rmtree(folder, ignore_errors=True)
    moment = rng.uniform(0.05, 0.9) * seconds
    child = start(recipe, workspace, "--on", "ray", "--cache", str(cache))
    time.sleep(moment)
    running = child.poll() is None
    second.kill()
    second.start()
    code, printed = child.wait(), (workspace / "printed.txt").read_text()
    if code:
        raise SystemExit(f"exit code {code} after a kill at {moment:.1f} s:\n{printed}")
    again = printed.count("it starts again")
    earlier = printed.count("of earlier work")
    when = "" if running else " (the run had ended)"
    return f"killed at {moment:.1f} s{when}: {again} stages again, {earlier} from a snapshot"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("kills", type=int, nargs="?", default=10)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    work, rng = given.work.absolute(), random.Random(given.seed)
    work.mkdir(parents=True, exist_ok=True)
    recipe, hurried = work / "matrix.yaml", work / "snapshots.yaml"
    recipe.write_text(RECIPE.format(steps=given.steps, save_every=30))
    hurried.write_text(RECIPE.format(steps=given.steps, save_every=2))
    alone = run(recipe, work / "jobs-1", "--jobs", "1")
    expected = results(work / "jobs-1")
    print(f"--jobs 1: {alone:.0f} s, {len(expected)} files to compare", flush=True)
    first, second = RayNode(work / "first", head=True), RayNode(work / "second", head=False)
    first.start()
    try:
        second.start()
        seconds: dict[str, list[float]] = {"--jobs 2": [], "two nodes": []}
        for _ in range(given.repeats):
            seconds["--jobs 2"].append(run(recipe, work / "jobs-2", "--jobs", "2"))
            for name in ("cache", "first/work", "second/work"):
                shutil.rmtree(work / name, ignore_errors=True)
            options = ("--on", "ray", "--cache", str(work / "cache"))
            seconds["two nodes"].append(run(recipe, work / "nodes", *options))
            assert results(work / "jobs-2") == expected, "--jobs 2 gives other results"
            assert results(work / "nodes") == expected, "the nodes give other results"
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        for name, median in medians.items():
            print(f"{name}: {median:.0f} s, results equal", flush=True)
        print(f"overhead: {medians['two nodes'] / medians['--jobs 2'] - 1:+.0%}", flush=True)
        for number in range(given.kills):
            said = killed_run(hurried, work, second, rng, medians["two nodes"])
            assert results(work / "killed") == expected, f"results differ: {said}"
            print(f"{number + 1}: {said}; results equal", flush=True)
    finally:
        for node in (second, first):
            if node.process is not None and node.process.poll() is None:
                node.kill()


if __name__ == "__main__":
    main()
