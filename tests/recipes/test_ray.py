"""A run on Ray itself: one node that this test starts. All else is tested on a fake cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lingopress[cluster]'")

RECIPE = """
name: words
source: embedded
stages:
  - {name: tags, stage: fertility, models: ["package:recipes/models/e5-mini"], max_examples: 5}
  - {name: names, stage: fertility, models: ["package:recipes/models/e5-mini"], task: panx, max_examples: 5}
"""  # noqa: E501
PROGRAM = """
import contextlib, os, sys
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_worker_niceness"] = "0"  # 15 by default, which waits for all else
import ray
if __name__ == "__main__":
    try:
        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80_000_000,
                 log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        print("NOT STARTED", error)
        raise SystemExit(0)
    from recipes.cli.app import main
    with open("plan.json", "w") as file, contextlib.redirect_stdout(file):
        with contextlib.suppress(SystemExit):
            main(["plan", "r.yaml", "--json", "--on", "ray", "--workspace", "here"])
    main(["run", "r.yaml", "--on", "ray", "--workspace", "here"])
"""


@pytest.mark.slow
def test_stages_of_a_recipe_run_on_ray(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "program.py").write_text(PROGRAM)
    run = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if "NOT STARTED" in run.stdout:
        pytest.skip(f"Ray did not start in time: {run.stdout[-200:]}")
    assert run.returncode == 0, run.stdout + run.stderr
    plan = json.loads((tmp_path / "plan.json").read_text())
    (kind,) = plan["cluster"]["node_kinds"]
    assert (kind["cpus"], len(kind["nodes"])) == (2, 1) and kind["memory_bytes"] > 1e8
    assert {figure["figure"] for figure in kind["probe"]} == {"call", "write"}  # of the report
    assert all(stage["node_kind"] == "kind 1" for stage in plan["stages"])
    assert run.stdout.count("started  on ") == 3
    note = json.loads((tmp_path / "here" / "runs" / "words" / "run.json").read_text())
    assert set(note["stages"]) == {"tags", "names", "report"}
