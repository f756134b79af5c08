"""Recipes on `source: hub` and `model: org/name`: cold, warm, offline and interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.registry import TASKS
from recipes.cli.app import main
from recipes.cli.push_command import _card
from tests.support.harmed import change_json, write_small
from tests.support.hub_layouts import XLMR_BASE, serve_data_set, serve_xlmr
from tests.support.loopback_hub import LoopbackHub

MODEL = "FacebookAI/xlm-roberta-base"
RECIPE = f"""
name: demo
source: hub
stages:
  - name: nli
    stage: train
    model: {MODEL}
    tasks: [xnli]
    method: full
    max_steps: 1
    batch_size: 2
    max_length: 16
  - {{name: scores, stage: evaluate, models: [nli], tasks: [xnli], languages: [en, sw]}}
"""


@pytest.fixture
def served(hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackHub:
    """XLM-R's repository around a small model, XNLI in two languages, an empty directory."""
    serve_xlmr(hub, lambda out: write_small(out, "ForMaskedLM"), tmp_path / "xlmr")
    source = TASKS.get("xnli").hub
    assert source
    serve_data_set(hub, source, "en", "sw")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    Path("r.yaml").write_text(RECIPE)
    return hub


def cli(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """Exit code, and what was printed."""
    with pytest.raises(SystemExit) as left:
        main(list(args))
    captured = capsys.readouterr()
    code = left.value.code
    return (code if isinstance(code, int) else 0), captured.out + captured.err


@pytest.mark.slow
def test_cold_interrupted_warm_and_offline(
    served: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli(capsys, "check", "r.yaml")[0] == 0
    assert not served.asked  # nothing is asked before the run
    served.always_cut["model.safetensors"] = 0
    code, said = cli(capsys, "run", "r.yaml")
    assert code == 2 and said.count("was cut off") == 1 and "Traceback" not in said, said

    served.always_cut.clear()
    served.cuts = {"model.safetensors": [1000], "en/train-00000-of-00001.parquet": [100]}
    config = served.sent["config.json"]
    code, said = cli(capsys, "run", "r.yaml")
    assert code == 0, said
    assert f"write {MODEL}@{XLMR_BASE}" in said
    assert served.sent["config.json"] == config  # files that are whole are kept
    assert not served.sent["pytorch_model.bin"]
    page = Path(cli(capsys, "report", "demo")[1].strip()).with_name("report.md")
    assert "hub" in page.read_text(encoding="utf-8")

    code, said = cli(capsys, "push", "demo:nli", "org/mine", "--dry-run")
    assert code == 0 and "README.md" in said
    assert "model-index" in (_card(None, "demo:nli", None) or "")  # the report's

    asked = len(served.asked)
    code, said = cli(capsys, "run", "r.yaml", "--workspace", "warm")
    assert code == 0, said
    assert [line for line in served.asked[asked:] if "/datasets/" in line] == []
    assert not [line for line in served.asked[asked:] if "/large/" in line]

    served.serve(monkeypatch, tmp_path / "home", offline=True)
    asked = len(served.asked)
    code, said = cli(capsys, "run", "r.yaml", "--workspace", "offline")
    assert code == 0 and len(served.asked) == asked, said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"model_type": "new", "auto_map": {"AutoConfig": "code.C"}},
            "code of a checkpoint is never",
        ),
        ({"vocab_size": "many"}, "config.json"),
    ],
    ids=["remote-code", "broken"],
)
def test_a_model_of_the_hub_that_cannot_be_used(
    served: LoopbackHub, capsys: pytest.CaptureFixture[str], config: dict[str, Any], said: str
) -> None:
    folder = Path("../xlmr")
    change_json(folder / "config.json", lambda tree: tree.update(config))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    served.add("model", MODEL, {**files, "code.py": b"raise SystemExit"})
    code, printed = cli(capsys, "run", "r.yaml", "--until", "nli")
    assert code == 2 and said in printed and "Traceback" not in printed, printed
    assert not served.sent["code.py"]


def test_offline_with_nothing_cached(
    served: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served.serve(monkeypatch, tmp_path / "empty", offline=True)
    code, said = cli(capsys, "run", "r.yaml")
    assert code == 2 and "HF_HUB_OFFLINE is set" in said and "hf download" in said, said
