"""Train by writing a file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

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
    not_in_key: ClassVar[frozenset[str]] = frozenset({"note"})
    renamed: ClassVar[Mapping[str, str]] = {"old_steps": "steps"}

    model: ModelRef
    tasks: tuple[str, ...]
    method: Literal["full", "lora"] = "full"
    steps: int = 10
    languages: tuple[str, ...] = ("en",)
    note: str = ""
    does: str = ""


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    (model,) = inputs["model"]
    if model.kind != "checkpoint":
        raise StageInputError(f"model: needs a checkpoint, is given a {model.kind}")
    return Artifact("checkpoint", task=config.tasks[0])


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return ()


def cost(config: Config) -> str:
    return f"{config.steps} steps"


def meet(folder: Path) -> None:
    """Wait for another process to come here too, for a minute."""
    (folder / str(os.getpid())).touch()
    for _ in range(6000):
        if len(list(folder.iterdir())) > 1:
            return
        time.sleep(0.01)
    raise RuntimeError("nobody came")


def run(config: Config, ctx: StageContext) -> Summary:
    before = ctx.work / "steps"
    done = int(before.read_text()) if before.exists() else 0
    for step in range(done, config.steps):
        before.write_text(str(step + 1))
        ctx.progress((step + 1) / config.steps, f"step {step + 1} of {config.steps}")
        if config.does == "die" and step == 5 and os.environ.get("DIE"):
            (ctx.out / "half").write_text("half")
            if os.environ["DIE"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(9)
        if config.does == "wait":
            time.sleep(0.1)
    if config.does == "silent":
        time.sleep(0.75)
    if config.does == "meet":
        meet(Path(os.environ["MEET"]))
    if config.does == "break":
        raise ValueError("loss is nan\nsecond line")
    if config.does == "person":
        from evalsuite.errors import DataError

        raise DataError("rows are bad")
    if config.does == "leave out":
        from evalsuite.data import left_out

        left_out.record(left_out.Rows("xnli", "train", "en"), 10, {"no gold label": 3})
    if config.does == "killed":
        from evalsuite.errors import KilledError

        raise KilledError("the process that measured it")
    if config.does == "gate":
        from compress.errors import GateError

        (ctx.out / "half").write_text(str(config.steps))
        raise GateError("80% of labels agree, min_agreement asks for 90%")
    if config.does == "full":
        raise OSError(28, "No space left on device")
    if config.does == "memory":
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 bytes")
    if config.does == "interrupt":
        raise KeyboardInterrupt
    if config.does == "chatter":
        print("chatter from python", flush=True)
        os.system("echo chatter from a child")
    text = (ctx.input("model").path / "config.json").read_text()
    (ctx.out / "config.json").write_text(text)
    (ctx.out / "model.safetensors").write_text(f"{text}{config.tasks}{ctx.seed}")
    (ctx.out / "started_at").write_text(str(done))
    (ctx.out / "threads").write_text(os.environ.get("OMP_NUM_THREADS", ""))
    return {"steps": config.steps, "final loss": 0.123456789}
