"""Every runtime and precision on the same batches: speed, share of the machine, equal labels.

python benchmarks/runtimes.py speed [base|small|tiny ...] [--threads N] [--rounds N]
    [--batch N] [--length N] [--work DIR]
python benchmarks/runtimes.py agreement CHECKPOINT DATA_DIR [--task xnli] [--rows N]

`speed` makes a checkpoint of each shape with random weights (base: XLM-R's 12x768 with 250,002
pieces; small: 6x384 with 60,000), exports it, and times batches of 8 x 128 tokens in one process
per model, in rounds over all models, so that a change of the machine's own speed meets all of them.
Printed: sequences per second (median over rounds and repeats), the ratio to torch fp32, the share
of the fastest matrix product measured in any round (in what a model multiplies in), and MB on disk.
What is made is kept in `--work` and used again.

`agreement` exports a checkpoint in fp32 to both other runtimes and compares labels with torch's on
real text in the layout of the XTREME scripts, N rows of each language.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from xlmr_shapes import SHAPES, make

from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite import tokenization
from evalsuite.bench.measure import Subject, measure
from evalsuite.inference.probe_text import Probe, sample
from evalsuite.machine import environment
from evalsuite.registry import TASKS
from evalsuite.results.speed import SpeedResult
from evalsuite.task import DataSource

BUNDLES: tuple[tuple[str, str], ...] = (
    ("onnxruntime", "fp32"),
    ("onnxruntime", "int8"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
)
CALIBRATION = 16  # sentences a language, for scales of activations


def models(shape: str, work: Path) -> dict[str, Path]:
    """The checkpoint of a shape and its bundles, made where they are not there yet."""
    checkpoint = work / shape
    if not (checkpoint / "tokenizer.json").is_file():
        make(shape, checkpoint, "pair")
    found = {"torch fp32": checkpoint}
    for runtime, precision in BUNDLES:
        out = work / f"{shape}-{runtime}-{precision}"
        if not (out / "README.md").is_file():
            text = Calibration(TASKS.get("xnli"), DataSource("embedded"), CALIBRATION)
            options = ExportOptions(text)
            export(checkpoint, out, runtime=runtime, precision=precision, options=options)
        found[f"{runtime} {precision}"] = out
    return found


def speed(shape: str, arguments: argparse.Namespace) -> None:
    """Measure all models of a shape and print a row each."""
    print(f"{shape} {SHAPES[shape]}")
    rounds(models(shape, arguments.work), arguments)


def rounds(found: dict[str, Path], arguments: argparse.Namespace) -> None:
    """Measure models in rounds and print a row each; the first is what ratios are taken to."""
    source = DataSource("embedded")
    subjects = []
    for name, path in found.items():
        text = sample(tokenization.load(path), 128, TASKS.get("xnli"), source, 2)
        sequences = {code: [item.ids for item in own] for code, own in text.items()}
        subjects.append(Subject(path, sequences, name, "embedded"))
    results: dict[str, list[SpeedResult]] = {name: [] for name in found}
    for _ in range(arguments.rounds):
        for name, subject in zip(found, subjects, strict=True):
            results[name] += measure(
                [subject],
                source="embedded",
                threads=arguments.threads,
                passes=1,
                latency_samples=1,
                batch_sizes=(arguments.batch,),
                lengths=(arguments.length,),
            )
    peaks: dict[str, float] = {}
    for own in results.values():
        for peak in (result.peak for result in own):
            if peak is not None:
                best = max(peaks.get(peak.precision, 0.0), peak.operations_a_second())
                peaks[peak.precision] = best
    cells = {name: [result.grid[0] for result in own] for name, own in results.items()}
    rates = {
        name: arguments.batch / median(t for cell in own for t in cell.seconds)
        for name, own in cells.items()
    }
    print(
        f"{arguments.batch} x {arguments.length} tokens, {arguments.threads} threads, "
        f"{arguments.rounds} rounds; peak "
        + ", ".join(f"{name} {value / 1e9:.0f} GFLOP/s" for name, value in peaks.items())
    )
    first = results[next(iter(found))][0].model
    for name, rate in rates.items():
        model = results[name][0].model
        achieved = cells[name][0].operations / arguments.batch * rate
        held = next((result.peak for result in results[name] if result.peak), None)
        share = f"{100 * achieved / peaks[held.precision]:.0f}%" if held else "not known"
        computes = "" if name.endswith(model.precision) else f" (computes {model.precision} here)"
        print(
            f"{name}{computes}: {rate:.1f} sequences/s, ratio {rate / rates[first.label]:.2f}, "
            f"share of peak {share}, {model.bytes / 1e6:,.1f} MB, 1/{first.bytes / model.bytes:.1f}"
        )


def agreement(arguments: argparse.Namespace) -> None:
    """Labels of both fp32 bundles against torch's."""
    source = DataSource("xtreme", arguments.data_dir)
    probe = Probe(TASKS.get(arguments.task), source, arguments.rows)
    for runtime, precision in BUNDLES:
        if precision == "fp32":
            with tempfile.TemporaryDirectory() as out:
                parity, _ = export(
                    arguments.checkpoint, Path(out), runtime=runtime, precision="fp32", probe=probe
                )
            assert parity is not None
            language, value = parity.worst()
            print(
                f"{runtime} fp32: {parity.agreement:.3f}% of labels equal to torch's over "
                f"{len(parity.by_language)} languages (worst {language} {value:.2f}%), outputs "
                f"differ by at most {parity.maximum:.2g} where the largest is {parity.scale:.2f}"
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    speeds = commands.add_parser("speed")
    speeds.add_argument("shapes", nargs="*", help=f"of {' '.join(SHAPES)}; default: base small")
    speeds.add_argument("--threads", type=int, default=environment.threads())
    speeds.add_argument("--rounds", type=int, default=3)
    speeds.add_argument("--batch", type=int, default=8)
    speeds.add_argument("--length", type=int, default=128)
    speeds.add_argument("--work", type=Path, default=None)
    speeds.set_defaults(run=speed)
    labels = commands.add_parser("agreement")
    labels.add_argument("checkpoint", type=Path)
    labels.add_argument("data_dir", type=Path)
    labels.add_argument("--task", default="xnli")
    labels.add_argument("--rows", type=int, default=200)
    labels.set_defaults(run=agreement)
    arguments = parser.parse_args()
    if arguments.run is agreement:
        agreement(arguments)
        return
    if unknown := set(arguments.shapes) - set(SHAPES):
        parser.error(f"no shape {', '.join(sorted(unknown))}; known: {', '.join(SHAPES)}")
    arguments.work = arguments.work or Path(tempfile.mkdtemp())
    for shape in arguments.shapes or ("base", "small"):
        speed(shape, arguments)


if __name__ == "__main__":
    main()
