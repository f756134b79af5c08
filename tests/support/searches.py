"""Searches over the models of `tests/fake_search`, which know their figures."""

from __future__ import annotations

from pathlib import Path

from evalsuite.report.output.read_report import read

FAKES = Path(__file__).resolve().parents[1] / "fake_search"
RECIPE = """
name: small
source: embedded
seed: 3
search:
  trials: TRIALS
  budget: {BUDGET}
  candidate: packed
  knobs:
    layers: [2, 3, 4]
    width: [200, 300, 400]
    precision: [fp32, int8]
stages:
  - {name: teacher, stage: shrink, model: ./base}
  - {name: before, stage: evaluate, models: [teacher], tasks: [xnli, udpos]}
  - {name: student, stage: shrink, model: teacher, layers: "${layers}", width: "${width}"}
  - {name: packed, stage: shrink, model: student, precision: "${precision}", depth: "${layers}"}
  - {name: scores, stage: evaluate, models: [packed], tasks: [xnli, udpos]}
  - {name: speed, stage: benchmark, models: [teacher, packed]}
"""


def write(bench, trials: int = 18, budget: str = "MB: 12", text: str = RECIPE, **changes) -> str:
    text = text.replace("TRIALS", str(trials)).replace("BUDGET", budget)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return bench.write(text)


def figures(layers: int, width: int, precision: str) -> tuple[float, float, float]:
    """Score, megabytes and milliseconds, by other means than the fake stage's."""
    score = 80 * {2: 0.8, 3: 0.95, 4: 1.0}[layers] - (400 - width) / 20
    megabytes, ms = 64 * layers / 4 * width / 400, 16 * layers / 4 * width / 400
    return (score - 1.5, megabytes / 4, ms / 2) if precision == "int8" else (score, megabytes, ms)


def made() -> list[str]:
    """Models worked for so far, one per line, and none twice."""
    lines = Path("made").read_text().splitlines()
    assert len(set(lines)) == len(lines)
    return lines


def found(outcome):
    """The search's record, from the report."""
    search = read(outcome.report.with_name("report.json")).search
    assert search is not None
    return search
