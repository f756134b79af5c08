"""kill -9 at random moments of a quickstart, each followed by a rerun that must end the same.

python benchmarks/kills.py WORK_DIR [COUNT] [SEED]

First an undisturbed run, which gives the scores to compare with and the time within which to
kill. Then COUNT times, in a new workspace: start, kill the command (and only it) at a random
moment, run again to the end, compare every score and every prediction.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMAND = ["run", "quickstart", "--jobs", "2", "--quiet", "--workspace"]


def start(workspace: Path) -> subprocess.Popen[str]:
    """Start the command in a new process."""
    lingopress = [sys.executable, "-m", "recipes.cli", *COMMAND, str(workspace)]
    return subprocess.Popen(lingopress, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(workspace: Path) -> float:
    """Run to the end; seconds it took."""
    started = time.monotonic()
    child = start(workspace)
    _, problems = child.communicate()
    if child.returncode:
        raise SystemExit(f"a run ended with {child.returncode}:\n{problems}")
    return time.monotonic() - started


def scores(workspace: Path) -> dict[str, object]:
    """Every metric of every evaluation, and every predictions file, by name."""
    found: dict[str, object] = {}
    runs = workspace / "runs" / "quickstart"
    for stage in sorted(p for p in runs.iterdir() if p.name.startswith(("scores", "retrieval"))):
        for path in sorted(stage.resolve().rglob("*")):
            if path.suffix == ".tsv":
                found[f"{stage.name}/{path.relative_to(stage.resolve())}"] = path.read_text()
            elif path.suffix == ".json" and path.name != "lingopress.json":
                result = json.loads(path.read_text())
                if "metrics" in result:
                    name = f"{result['model']['label']} {result['task']}"
                    found[name] = result["metrics"]
    return found


def main(work: Path, count: int = 10, seed: int = 1) -> None:
    """Print one line per kill."""
    whole = work / "undisturbed"
    seconds = finish(whole)
    expected = scores(whole)
    assert expected
    print(f"undisturbed: {seconds:.0f} s, {len(expected)} results", flush=True)
    rng = random.Random(seed)
    killed = 0
    while killed < count:
        workspace = work / f"killed-{killed}"
        shutil.rmtree(workspace, ignore_errors=True)
        moment = rng.uniform(0, seconds)
        child = start(workspace)
        time.sleep(moment)
        if child.poll() is not None:
            continue  # it was done already; draw again
        killed += 1
        child.send_signal(signal.SIGKILL)
        child.communicate()
        stages = workspace / "stages"
        done = len(list(stages.iterdir())) if stages.is_dir() else 0
        rerun = finish(workspace)
        equal = scores(workspace) == expected
        print(
            f"kill {killed} at {moment:.0f} s, {done} stages done: "
            f"rerun {rerun:.0f} s, results {'equal' if equal else 'DIFFER'}",
            flush=True,
        )
        shutil.rmtree(workspace)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[2:4]]
    main(Path(sys.argv[1]), *arguments)
