"""kill -9 at random moments of a small recipe, each followed by a rerun that must end the same.

python benchmarks/kills.py WORK_DIR [COUNT] [SEED] [KIND ...], kinds as in KILLS

First an undisturbed run, which gives the scores and weights to compare with. Then, until there were
COUNT kills, in a new workspace: start, with one job or two, and kill at a random moment the
command, one of the processes it started, or all of them, up to four times; then run to the end.
A moment is a random time after a random line of what the command prints, so that it does not depend
on how busy the machine is. Every weight and score must be the same, bit for bit, and every message
one that a person can read.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

RECIPE = """
name: kills
source: embedded
seed: 1
matrix: {task: [xnli, panx]}
stages:
  - name: base
    stage: pretrain
    shape: {layers: 2, hidden: 32, heads: 2, ffn: 64, vocabulary: 2000, max_length: 64, dropout: 0.1}
    steps: 20
    batch_size: 8
    compute: fp32
    max_length: 32
    max_pairs: 200
  # Two processes share its steps.
  - {name: nli, stage: train, model: base, tasks: [xnli], method: lora, rank: 4, compute: fp32, max_steps: 20, max_examples: 200, max_length: 32, processes: 2, batch_size: 4, effective_batch: 8}
  - {name: fused, stage: fuse, model: nli}
  - {name: teacher, stage: train, model: fused, tasks: ["${task}"], method: full, compute: fp32, max_steps: 20, max_examples: 200, max_length: 32, batch_size: 8}
  - {name: student, stage: distill, teacher: "teacher[task=xnli]", tasks: [xnli], layers: 1, compute: fp32, max_steps: 10, max_pairs: 100, max_examples: 200, batch_size: 8}
  - {name: int8, stage: export, model: student, precision: int8, probe: 8}
  - {name: scores, stage: evaluate, models: [teacher], tasks: ["${task}"], max_examples: 20}
  - {name: scores-int8, stage: evaluate, models: [int8], tasks: [xnli], max_examples: 20}
  - {name: speed, stage: benchmark, models: [int8], threads: 1, sentence_count: 24, passes: 1, batch_sizes: []}
"""  # noqa: E501
STARTED = re.compile(r"^\S+ +\w+ +(?:started|[\d.]+[ms])\b", re.MULTILINE)
EXTRA = 4.0  # seconds, at most, between a line and a kill
UNREADABLE = re.compile(r"Traceback|internal error|Warning|resource_tracker|^  File ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended: its exit code, and what it printed on both streams."""

    code: int
    printed: str


def start(work: Path, workspace: Path, jobs: int) -> subprocess.Popen[str]:
    """Start the command in a separate process group, one thread per process."""
    recipe = work / "kills.yaml"
    recipe.write_text(RECIPE)
    command = [sys.executable, "-m", "recipes.cli", "run", str(recipe)]
    workspace.mkdir(parents=True, exist_ok=True)
    printed = (workspace / "printed.txt").open("w")
    return subprocess.Popen(
        [*command, "--jobs", str(jobs), "--workspace", str(workspace)],
        stdout=printed,
        stderr=printed,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "LINGOPRESS_PROCESSES": "1"},
    )


def wait(child: subprocess.Popen[str], workspace: Path) -> Ended:
    """Wait for the command, and for what it left running to end."""
    code = child.wait()
    deadline = time.monotonic() + 30
    while group(child.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not group(child.pid), f"still running: {group(child.pid)}"
    return Ended(code, (workspace / "printed.txt").read_text())


def group(leader: int) -> list[psutil.Process]:
    """Live processes of the command's session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def kill_command(leader: int, rng: random.Random) -> str:
    """The command itself."""
    os.kill(leader, signal.SIGKILL)
    return "command"


def kill_group(leader: int, rng: random.Random) -> str:
    """The command and all it started."""
    os.killpg(leader, signal.SIGKILL)
    return "group"


def kill_worker(leader: int, rng: random.Random) -> str:
    """One of the processes that the command's children started, as soon as there are some.

    Those are workers, members of a shared training and measuring processes; a child is the process
    they are forked from, or watches over what the others leave.
    """
    others: list[psutil.Process] = []
    until = time.monotonic() + 15
    while not others and psutil.pid_exists(leader) and time.monotonic() < until:
        others = [process for process in group(leader) if parent(process) not in (None, leader)]
        others = [process for process in others if process.pid != leader]
        time.sleep(0.05)
    if not others:
        return ""
    rng.choice(sorted(others, key=lambda process: process.pid)).kill()
    return "worker"


def kill_child(leader: int, rng: random.Random) -> str:
    """One of the processes the command started itself."""
    children = [process for process in group(leader) if parent(process) == leader]
    if not children:
        return ""
    chosen = rng.choice(sorted(children, key=lambda process: process.pid))
    what = "tracker of resources" if "resource_tracker" in " ".join(chosen.cmdline()) else "child"
    chosen.kill()
    return what


def parent(process: psutil.Process) -> int | None:
    """Process id of a process's parent; None where it is gone."""
    try:
        return process.ppid()
    except psutil.Error:
        return None


KILLS: dict[str, Callable[[int, random.Random], str]] = {
    "command": kill_command,
    "worker": kill_worker,
    "child": kill_child,
    "group": kill_group,
}


def results(workspace: Path) -> dict[str, object]:
    """SHA-256 of every weight, graph and predictions file, and every metric, by name."""
    found: dict[str, object] = {}
    for stage in sorted((workspace / "runs" / "kills").iterdir()):
        if not stage.is_dir() or stage.name.startswith(("speed", "report")):
            continue
        for path in sorted(p for p in stage.resolve().rglob("*") if p.is_file()):
            name = f"{stage.name}/{path.relative_to(stage.resolve())}"
            if path.suffix in (".safetensors", ".onnx", ".tsv"):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif stage.name.startswith("scores") and path.name != "lingopress.json":
                found[name] = json.loads(path.read_text())["metrics"]
    return found


def require_readable(ended: Ended, codes: set[int]) -> None:
    """Fail where a command ended in another way, or printed what a person cannot use."""
    if ended.code not in codes or UNREADABLE.search(ended.printed):
        raise SystemExit(f"exit code {ended.code}, and this was printed:\n{ended.printed}")


def main(work: Path, count: int = 35, seed: int = 1, kinds: Sequence[str] = ()) -> None:
    """Print one line per kill, and the counts."""
    work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    expected: dict[int, dict[str, object]] = {}
    for jobs in (1, 2):
        whole = work / f"undisturbed-{jobs}"
        shutil.rmtree(whole, ignore_errors=True)
        started = time.monotonic()
        printed = wait(start(work, whole, jobs), whole)
        require_readable(printed, {0})
        expected[jobs], lines = results(whole), len(STARTED.findall(printed.printed))
        print(f"undisturbed, --jobs {jobs}: {time.monotonic() - started:.0f} s", flush=True)
    assert len(expected[1]) > 20 and expected[1] == expected[2], "one job and two differ"
    counts: Counter[str] = Counter()
    while (done := sum(counts.values())) < count:
        jobs = rng.choice((1, 2))
        workspace = work / "killed"
        shutil.rmtree(workspace, ignore_errors=True)
        for _ in range(min(rng.randint(1, 4), count - done)):
            if killed := one_kill(work, workspace, jobs, lines, rng, kinds or tuple(KILLS)):
                counts[f"{killed}, --jobs {jobs}"] += 1
        require_readable(wait(start(work, workspace, jobs), workspace), {0})
        assert results(workspace) == expected[jobs], f"results differ, see {workspace}"
        print(f"results equal after {sum(counts.values())} kills", flush=True)
    print(", ".join(f"{what}: {times}" for what, times in sorted(counts.items())))


def one_kill(
    work: Path, workspace: Path, jobs: int, lines: int, rng: random.Random, kinds: Sequence[str]
) -> str:
    """Start, and kill something at a moment; what it was, empty where all was done before.

    Args:
        lines: about stages that an undisturbed run prints: two per stage.
    """
    kind = rng.choice(kinds)
    started = time.monotonic()
    child = start(work, workspace, jobs)
    cached = stage_count(workspace)  # for each of these the command prints one line, at once
    line = rng.randint(cached, lines - cached)
    while child.poll() is None and (workspace / "printed.txt").read_text().count("\n") < line:
        time.sleep(0.01)
    until = time.monotonic() + rng.uniform(0, EXTRA)
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    moment = time.monotonic() - started
    killed = KILLS[kind](child.pid, rng) if child.poll() is None else ""
    ended = wait(child, workspace)
    whole = kind in ("command", "group")
    require_readable(ended, {-signal.SIGKILL} if killed and whole else {0, 1})
    if killed:
        print(
            f"{killed} killed at {moment:.1f} s, --jobs {jobs}, "
            f"{stage_count(workspace)} stages done, exit code {ended.code}",
            flush=True,
        )
    return killed


def stage_count(workspace: Path) -> int:
    """Finished stages."""
    stages = workspace / "stages"
    return len(list(stages.iterdir())) if stages.is_dir() else 0


if __name__ == "__main__":
    folder, *given = sys.argv[1:] + ["35", "1"][len(sys.argv) - 2 :]
    main(Path(folder), int(given[0]), int(given[1]), given[2:])
