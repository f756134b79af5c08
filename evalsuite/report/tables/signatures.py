"""The signatures: data, model and machine behind each number of the report.

Machines are listed once, as E1, E2 and so on; each score and each speed names one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evalsuite.report.figures.formatting import NONE, digest
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.record import Environment
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult


@dataclass(frozen=True, slots=True)
class Signatures:
    """One row per score, per speed, per measured alignment and per machine."""

    scores: Table
    speeds: Table
    alignment: Table
    environments: Table


def signatures(run: RunRecord) -> Signatures:
    """The signature of every score and speed of a run."""
    machines = _machines([*run.scores, *run.speeds, *run.alignment])
    names = {key: f"E{i}" for i, key in enumerate(machines, 1)}
    return Signatures(
        scores=_texts(
            "Model",
            (
                "Task",
                "Metric",
                "Source",
                "Split",
                "Rows",
                "Data",
                "Weights",
                "Runtime",
                "Precision",
                "Layer, pooling, scoring",
                "Seed of the evaluation",
                "Environment",
            ),
            [
                (score.model.label, _score(score, names[_key(score.environment)]))
                for score in run.scores
            ],
        ),
        speeds=_texts(
            "Model",
            (
                "Text",
                "Source",
                "Data",
                "Weights",
                "Runtime",
                "Precision",
                "Samples",
                "Tokens per sentence",
                "Environment",
            ),
            [
                (speed.model.label, _speed(speed, names[_key(speed.environment)]))
                for speed in run.speeds
            ],
        ),
        alignment=_texts(
            "Model",
            (
                "Text",
                "Source",
                "Rows",
                "Data",
                "Weights",
                "Runtime",
                "Precision",
                "Pooling",
                "Environment",
            ),
            [
                (result.model.label, _alignment(result, names[_key(result.environment)]))
                for result in run.alignment
            ],
        ),
        environments=_texts(
            "Environment",
            ("CPU", "Instruction set", "Cores", "Threads", "Device", "System", "Versions"),
            [(names[key], _environment(machine)) for key, machine in machines.items()],
        ),
    )


def _texts(corner: str, heads: tuple[str, ...], rows: list[tuple[str, list[str]]]) -> Table:
    return Table(
        corner,
        tuple(Column(head, numeric=False) for head in heads),
        tuple(Row(Cell(name), tuple(Cell(text) for text in texts)) for name, texts in rows),
    )


def _score(score: TaskResult, machine: str) -> list[str]:
    return [
        score.task,
        score.signature or score.main_metric,
        score.source,
        score.split,
        _rows(score.max_examples, drawn="rows_seed" in score.signature),
        digest(score.data_digest),
        digest(score.model.digest),
        score.model.runtime,
        score.model.precision,
        _embedding(score),
        str(score.seed),
        machine,
    ]


def _alignment(result: AlignmentResult, machine: str) -> list[str]:
    return [
        result.text,
        result.source,
        _rows(result.max_examples),
        digest(result.data_digest),
        digest(result.model.digest),
        result.model.runtime,
        result.model.precision,
        result.pooling,
        machine,
    ]


def _rows(most: int | None, *, drawn: bool = False) -> str:
    return f"{most:,} drawn" if most and drawn else f"first {most:,}" if most else "all"


def _embedding(score: TaskResult) -> str:
    """`8, mean, margin, threshold of dev`: how sentences were embedded and compared."""
    if score.layer is None:
        return NONE
    parts = [str(score.layer), score.pooling or NONE, score.scoring or NONE]
    if score.dimensions is not None:
        parts.append(f"{score.dimensions} dimensions")
    if score.prefix is not None:
        parts.append(f"prefix {score.prefix!r}")
    if score.passage_prefix is not None:
        parts.append(f"of passages {score.passage_prefix!r}")
    if score.fitted_on == score.split:
        parts.append("threshold fitted on these rows")
    elif score.fitted_on is not None:
        parts.append(f"threshold of {score.fitted_on}")
    return ", ".join(parts)


def _speed(speed: SpeedResult, machine: str) -> list[str]:
    lengths = speed.token_lengths
    return [
        speed.text,
        speed.source,
        digest(speed.data_digest),
        digest(speed.model.digest),
        speed.model.runtime,
        speed.model.precision,
        f"{len(speed.latency_seconds)} latencies, {len(speed.throughput)} passes, "
        f"{len(speed.load_seconds)} loads, {len(speed.grid)} grid cells",
        f"median {median(lengths):.0f}, most {max(lengths)}" if lengths else NONE,
        machine,
    ]


def _environment(machine: Environment) -> list[str]:
    return [
        machine.cpu,
        " ".join(machine.instruction_set) or NONE,
        str(machine.cores),
        str(machine.threads),
        machine.device,
        machine.system,
        ", ".join(f"{name} {version}" for name, version in sorted(machine.versions.items())),
    ]


def _machines(
    records: Sequence[TaskResult | SpeedResult | AlignmentResult],
) -> dict[str, Environment]:
    return {_key(record.environment): record.environment for record in records}


def _key(machine: Environment) -> str:
    return machine.model_dump_json()


def _parts(content: Content) -> list[Part]:
    tables = signatures(content.run)
    by_heading = {
        "Scores": (tables.scores, "Signatures of scores"),
        "Speeds": (tables.speeds, "Signatures of speeds"),
        "Alignment": (tables.alignment, "Signatures of alignment"),
        "Environments": (tables.environments, "Environments"),
    }
    return [
        Part(
            table,
            label=label,
            heading=heading,
            aside=str(len(table.rows)),
            markdown_line=f"{heading}:",
            fold="closed",
            look="" if table is tables.environments else "signatures",
        )
        for heading, (table, label) in by_heading.items()
    ]


TABLE = ReportTable(
    "signatures",
    order=120,
    title="Signatures",
    introduction="The data, model and machine behind each number above. Digests are shortened to "
    "twelve characters; report.json has the full digests and the raw samples.",
    if_empty="No numbers, so no signatures.",
    parts=_parts,
)
