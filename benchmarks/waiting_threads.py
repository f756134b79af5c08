"""What threads that wait by spinning cost: one job alone, and two equal jobs at the same time.

python benchmarks/waiting_threads.py [--rounds N] [--work F] [--jobs NAME ...]

A thread that waits for the others of its team may spin (test a flag again and again) or sleep.
Spinning is faster where a core is free, and takes the core from others where none is. Each job does
the same work in a new process: with the default of its library, with short spins, with waits that
sleep, and with what lingopress chooses when the work begins. Settings take turns, so that a change
of the machine's own speed meets all of them.

Prints, per job and setting, the seconds alone (the best of all rounds, since another process can
only add to them), their ratio to the default, and how many times longer two take than one alone
when the second starts 8 seconds after the first (the slower one; 2.0 is a fair share of the cores).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from evalsuite.machine import waiting

Step = Callable[[], object]

SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "short spin": {"GOMP_SPINCOUNT": "20000", "SPIN_US": "1000"},
    "passive": {"OMP_WAIT_POLICY": "passive", "SPIN_US": "0"},
    "chosen": {"CHOOSE": "1"},  # by lingopress, from how busy the machine is
}
JOBS = ("train", "torch", "onnxruntime", "openvino")
LATER = 8.0  # seconds: imports are done
LAYERS, WIDTH, BATCH, TOKENS = 6, 384, 16, 64


def _model() -> Any:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=8000,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=WIDTH // 32,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=TOKENS + 2,
        num_labels=3,
    )
    return transformers.XLMRobertaForSequenceClassification(config)


def prepare(folder: Path) -> None:
    """Write the graph that ONNX Runtime and OpenVINO run, in fp32 and in int8."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = _model().eval()
    ids = torch.ones(2, 8, dtype=torch.int64)
    dynamic = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        folder / "model.onnx",
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": dynamic, "attention_mask": dynamic},
        dynamo=False,
    )
    quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8)


def child(job: str, folder: Path, work: float) -> float:
    """Seconds of one job in this process, without its start."""
    if "CHOOSE" in os.environ:
        waiting.choose()
    ids = np.random.default_rng(0).integers(5, 8000, (BATCH, TOKENS))
    mask = np.ones_like(ids)
    if job in ("train", "torch"):
        step, steps = _torch_step(job, ids, mask)
    else:
        step, steps = _graph_step(job, folder, ids, mask)
    for _ in range(3):
        step()
    started = time.perf_counter()
    for _ in range(max(3, round(steps * work))):
        step()
    return time.perf_counter() - started


def _torch_step(job: str, ids: np.ndarray, mask: np.ndarray) -> tuple[Step, int]:
    import torch

    model = _model()
    inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if job == "torch":
        model.eval()

        def run() -> None:
            with torch.inference_mode():
                model(**inputs)

        return run, 60
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    labels = torch.zeros(BATCH, dtype=torch.int64)

    def learn() -> None:
        model(**inputs, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return learn, 20


def _graph_step(job: str, folder: Path, ids: np.ndarray, mask: np.ndarray) -> tuple[Step, int]:
    feeds = {"input_ids": ids, "attention_mask": mask}
    if job == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count()
        spin = "0" if waiting.sleeps() else os.environ.get("SPIN_US")
        if spin:
            options.add_session_config_entry("session.intra_op.spin_duration_us", spin)
        session = onnxruntime.InferenceSession(
            str(folder / "int8.onnx"), options, providers=["CPUExecutionProvider"]
        )
        return lambda: session.run(None, feeds), 150
    import openvino

    core = openvino.Core()
    request = core.compile_model(folder / "model.onnx", "CPU").create_infer_request()
    return lambda: request.infer(feeds), 100


def start(job: str, setting: str, folder: Path, work: float) -> subprocess.Popen[str]:
    """One job in a new process."""
    command = [sys.executable, __file__, "--child", job, str(folder), str(work)]
    environment = {**os.environ, **SETTINGS[setting], "TRANSFORMERS_VERBOSITY": "error"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def seconds(process: subprocess.Popen[str]) -> float:
    """What the process printed."""
    output, _ = process.communicate()
    return float(output.strip().splitlines()[-1])


def _two_at_once(job: str, setting: str, folder: Path, work: float) -> float:
    """Seconds of the slower of two; the second starts when the first has begun to compute."""
    first = start(job, setting, folder, work)
    time.sleep(LATER)
    second = start(job, setting, folder, work)
    return max(seconds(first), seconds(second))


def main() -> None:
    """Read the command line and measure."""
    if sys.argv[1:2] == ["--child"]:
        job, place, work = sys.argv[2:]
        print(child(job, Path(place), float(work)))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=float, default=1.0, help="share of the usual work")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {arguments.rounds} rounds")
    print("job          setting      alone s  to default  two at once")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for job in arguments.jobs:
            alone: dict[str, list[float]] = {setting: [] for setting in SETTINGS}
            both: dict[str, list[float]] = {setting: [] for setting in SETTINGS}
            for number in range(arguments.rounds):
                for setting in SETTINGS:
                    alone[setting].append(seconds(start(job, setting, folder, arguments.work)))
                    if number % 3 == 0:  # these take longest
                        both[setting].append(_two_at_once(job, setting, folder, arguments.work))
            usual = min(alone["default"])
            for setting in SETTINGS:
                own = min(alone[setting])
                print(
                    f"{job:<12} {setting:<12} {own:>7.2f} {own / usual:>11.3f} "
                    f"{median(both[setting]) / own:>12.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
