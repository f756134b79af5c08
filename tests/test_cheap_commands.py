"""Commands that answer at once: listings, help, `check` and `plan` import nothing heavy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mini_extra import stand_ins

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    *("torch", "transformers", "numpy", "matplotlib", "onnxruntime", "openvino", "nncf"),
    *("optuna", "datasets", "peft"),
}
FOR_REPORTS = {"jinja2", "rich"}
FOR_RECIPES = {"pydantic", "yaml"}
LISTS = [["ls", what] for what in ("stages", "tasks", "methods", "passes", "runtimes", "metrics")]
ANSWERS = [
    ["--help"],
    ["run", "--help"],
    ["ls"],
    ["ls", "recipes"],
    ["check", "quickstart"],
    ["show", "quickstart", "--resolved"],
]
OTHERS = [
    ["ls", "stages", "export"],
    ["ls", "methods", "lora"],
    ["ls", "passes", "prune"],
    ["ls", "runtimes", "openvino"],
    ["ls", "metrics", "chunk_f1"],
    ["ls", "stages", "--markdown"],
    ["schema"],
    ["check", "pretrain/from-english"],
    ["check", "compact/search-budget"],
    ["compare", "--help"],
]
COMMANDS = [*LISTS, *ANSWERS, *OTHERS]  # those that may import least come first
SCRIPT = """
import contextlib, io, json, sys
from recipes.cli.app import main
commands, watched = json.loads(sys.argv[1])
found = []
for arguments in commands:
    printed, code = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    loaded = [name for name in watched if name in sys.modules]
    found.append([code or 0, len(printed.getvalue().splitlines()), loaded])
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of each command: exit code, lines printed, what was loaded until then, all in one process."""
    folder = tmp_path_factory.mktemp("cheap")
    watched = sorted(HEAVY | FOR_REPORTS | FOR_RECIPES)
    child = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([COMMANDS, watched])],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(stand_ins(folder))])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    results = json.loads(child.stdout)
    return {" ".join(name): result for name, result in zip(COMMANDS, results, strict=True)}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_heavy_is_imported(command: list[str], answered: dict[str, Any]) -> None:
    code, lines, loaded = answered[" ".join(command)]
    refused = HEAVY
    if command in LISTS + ANSWERS:
        refused = refused | FOR_REPORTS
    if command in LISTS:  # made of files alone
        refused = refused | FOR_RECIPES
    assert code == 0 and lines >= (3 if command in LISTS else 1)
    assert not refused & set(loaded)
