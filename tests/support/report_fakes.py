"""Builders of run records for the report: models, scores, speeds, and a run of three systems."""

from __future__ import annotations

from evalsuite.report.charts.chart import Chart, Curves
from evalsuite.report.output.page import Page
from evalsuite.report.section import Part
from evalsuite.report.table import Table
from evalsuite.results.record import Environment, ModelInfo
from evalsuite.results.run import RunRecord, StageRecord
from evalsuite.results.speed import (
    GridCell,
    LanguageSpeed,
    Peak,
    PeakSample,
    SpeedResult,
    Throughput,
    TokenizerCost,
)
from evalsuite.results.task import TaskResult
from evalsuite.task import SourceKind

MACHINE = Environment(
    cpu="a CPU",
    instruction_set=("avx2", "avx512_vnni"),
    cores=2,
    threads=2,
    device="cpu",
    system="Linux",
    versions={"onnxruntime": "1.22.0"},
)
A_PEAK = Peak(
    precision="fp32",
    threads=2,
    samples=(
        PeakSample(program="torch.mm", size=100, seconds=2.0),
        PeakSample(program="onnxruntime MatMul", size=100, seconds=1.0),  # 2 million a second
    ),
)
LABELS = {"xnli": ("XNLI", "accuracy"), "udpos": ("UD-POS", "chunk_f1")}


def a_model(label: str, size: int = 1000, runtime: str = "torch") -> ModelInfo:
    return ModelInfo(
        label=label,
        digest=f"sha256:{label.encode().hex():0<64}",
        architecture="xlm-roberta 4x192",
        runtime=runtime,
        precision="fp32" if runtime == "torch" else "int8",
        parameters=14_000_000,
        embedding_parameters=12_000_000,
        bytes=size,
        tokenizer_bytes=10,
    )


def a_score(
    model: ModelInfo, task: str = "xnli", *, source: SourceKind = "embedded", **by_language: float
) -> TaskResult:
    title, metric = LABELS.get(task, (task.title(), "retrieval_accuracy"))
    metrics = {metric: by_language}
    if task == "udpos":
        metrics["token_accuracy"] = {code: value + 1 for code, value in by_language.items()}
    return TaskResult(
        model=model,
        task=task,
        title=title,
        main_metric=metric,
        metrics=metrics,
        chance=dict.fromkeys(by_language, 33.3),
        examples=dict.fromkeys(by_language, 1500),
        absent_languages=("el", "th"),
        source=source,
        split="test",
        source_language="en",
        data_digest=f"sha256:{task.encode().hex():0<64}",
        layer=8 if task == "tatoeba" else None,
        pooling="mean" if task == "tatoeba" else None,
        scoring="cosine" if task == "tatoeba" else None,
        seed=7,
        seconds=1.0,
        environment=MACHINE,
    )


def a_speed(model: ModelInfo, rate: float, *, threads: int = 2, text: str = "xnli") -> SpeedResult:
    return SpeedResult(
        model=model,
        text=f"{text} dev, 2 languages, 4 sentences",
        rows=100,
        source="embedded",
        data_digest="sha256:00ff00ff00ff00ff",
        token_lengths=(10, 20, 30, 40),
        load_seconds=(1.0, 3.0, 2.0),
        warmup_seconds=(9.0,),
        latency_seconds=(0.010, 0.020, 0.030, 0.040),
        throughput=tuple(
            Throughput(sentences=100, tokens=1, seconds=100 / r) for r in (rate, rate * 3, rate / 2)
        ),
        operations=400_000,
        grid=tuple(
            GridCell(
                batch=batch,
                length=length,
                operations=10_000 * batch * length // (8 * 64),
                warmup_seconds=9.0,
                seconds=(2 / rate, 1 / rate, 0.5 / rate),
            )
            for length, batch in ((16, 1), (16, 8), (64, 8))
        ),
        languages={
            "de": LanguageSpeed(
                sentences=50, tokens=1000, latency_seconds=(0.010, 0.020), seconds=(50 / rate,)
            ),
            "sw": LanguageSpeed(
                sentences=50,
                tokens=2000,
                latency_seconds=(0.030, 0.040),
                seconds=(1, 100 / rate, 999),
            ),
        },
        peak=A_PEAK,
        peak_memory=5_000_000,
        baseline_memory=2_000_000,
        tokenizer=TokenizerCost(load_seconds=(0.5, 0.7, 0.6), memory=1_500_000),
        environment=MACHINE.model_copy(update={"threads": threads}),
    )


def a_run(*scores: TaskResult, speeds: tuple[SpeedResult, ...] = ()) -> RunRecord:
    return RunRecord(
        recipe="small",
        description="A <b>small</b> run | of two.",
        source="embedded",
        seed=7,
        stages=(
            StageRecord(
                name="teacher[task=xnli]",
                kind="train",
                key="k",
                inputs=("base",),
                config={},
                summary={"steps": 400, "final loss": 1.2345, "method": "lora"},
                seconds=100.0,
                output_bytes=2_000_000,
                finished="2026-01-01T00:00:00Z",
            ),
        )
        * 2,
        scores=scores,
        speeds=speeds,
    )


TEACHER, INT8 = "teacher[task={}]", "int8[task={}]"


def run_of_three_systems() -> RunRecord:
    """Two systems, each fanned out over two tasks, and a base that has retrieval alone."""
    teachers = {task: a_model(TEACHER.format(task), 8000) for task in LABELS}
    students = {task: a_model(INT8.format(task), 1000, "onnxruntime") for task in LABELS}
    return a_run(
        a_score(teachers["xnli"], en=80, de=70, sw=60),
        a_score(teachers["udpos"], "udpos", en=90, de=80, sw=40),
        a_score(teachers["xnli"], "tatoeba", de=50, sw=30),
        a_score(teachers["udpos"], "tatoeba", de=60, sw=40),
        a_score(students["xnli"], en=78, de=69, sw=57),
        a_score(students["udpos"], "udpos", en=89, de=79, sw=38),
        a_score(students["xnli"], "tatoeba", de=40, sw=20),
        a_score(a_model("base", 8000), "tatoeba", de=20, sw=10),
        speeds=(
            *(a_speed(model, 10) for model in teachers.values()),
            *(a_speed(model, 90) for model in students.values()),
        ),
    )


def tables_of(page: Page, section: str) -> list[Table]:
    """The tables of a section of a report; none where it has no such section."""
    return [part.table for part in parts_of(page, section) if part.table]


def charts_of(page: Page, section: str) -> list[Chart | Curves]:
    """The charts of a section of a report; none where it has no such section."""
    return [chart for part in parts_of(page, section) for chart in part.charts]


def parts_of(page: Page, section: str) -> list[Part]:
    """The parts of a section of a report, and those below them."""
    tops = [part for s in page.sections if s.name == section for part in s.parts]
    return [part for top in tops for part in (top, *top.below)]
