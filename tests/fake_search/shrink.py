"""Make a model by writing down its figures: what it scores, how large and how slow it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from compress.errors import GateError, StudentError
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    StageInputError,
    Summary,
)

VERSION = 1


class Config(StageConfig):
    """Each layer and unit of width is worth something and costs something."""

    model: ModelRef
    layers: int | None = None
    width: int | None = None
    precision: str = "fp32"
    heads: int = 4
    depth: int | None = None  # of its model, for `check` alone


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    if config.precision == "int4" and config.depth == 3:
        raise StageInputError("precision: no int4 with three layers")
    return Artifact("checkpoint", task="xnli")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    model = ctx.input("model")
    made = Path("made")  # one line a stage that was worked for, in the order of the work
    with made.open("a") as file:
        shape = f"{config.layers or ''} {config.width or ''} {config.precision}".strip()
        file.write(f"{config.name} {shape} of {model.label}\n")
    if Path("kill").exists() and len(made.read_text().splitlines()) == int(
        Path("kill").read_text()
    ):
        raise KeyboardInterrupt
    if config.width is not None and config.width % config.heads:
        raise StudentError(f"width {config.width} is no multiple of {config.heads} heads\nmore")
    figures = {"score": 80.0, "bytes": 64e6, "ms": 16.0}
    if (model.path / "figures.json").is_file():
        figures = json.loads((model.path / "figures.json").read_text())
    if config.layers is not None:
        figures = {k: v * config.layers / (4 if k != "score" else 1) for k, v in figures.items()}
        figures["score"] *= {1: 0.7, 2: 0.8, 3: 0.95, 4: 1.0}[config.layers] / config.layers
    if config.width is not None:
        for name in ("bytes", "ms"):
            figures[name] *= config.width / 400
        figures["score"] -= (400 - config.width) / 20
    if config.precision == "int8":
        figures = {
            "score": figures["score"] - 1.5,
            "bytes": figures["bytes"] / 4,
            "ms": figures["ms"] / 2,
        }
    if config.precision == "int2":
        raise GateError("export: 51.00% of labels agree, min_agreement asks for 90%\nmore")
    if config.precision == "broken":
        raise ValueError("a bug")
    (ctx.out / "figures.json").write_text(json.dumps(figures))
    (ctx.out / "config.json").write_text("{}")
    return {}
