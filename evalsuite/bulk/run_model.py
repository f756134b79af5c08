"""Answer the rows of a file with a model, or turn them into vectors.

>>> predict_file(Path("int8"), Job("rows.csv", Path("out.csv")), watch)
Done(windows=489, rows=1000000, bad=3, ...)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evalsuite.bulk.answer_rows import Answering, Answers, RowAnswerer, Watch
from evalsuite.bulk.journal import Done
from evalsuite.bulk.open_rows import Reading, open_rows
from evalsuite.bulk.output import TABLES, VECTORS, open_output
from evalsuite.bulk.read_text import Lines
from evalsuite.bulk.take_texts import TextTaker
from evalsuite.errors import DataError
from evalsuite.inference.answers import Texts, head_for
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import Predictor, Staged, answered, in_language
from evalsuite.inference.session import Session
from evalsuite.retrieval.sentence_embedder import OneText, SentenceEmbedder


@dataclass(frozen=True, slots=True)
class Job:
    """What is read and written, and how.

    Attributes:
        file: to read; `-` is standard input.
        output: to write; None is standard output.
        to: form of the output; default by its name.
        reading: how the input is read.
        strict: a bad row ends the run.
        alone: each row is a batch by itself, so that its answer depends on no other row.
        language: of all rows, for a cascade with thresholds of languages.
    """

    file: str = "-"
    output: Path | None = None
    to: str | None = None
    reading: Reading = field(default_factory=Reading)
    strict: bool = False
    alone: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """How vectors are made.

    Attributes:
        prefix: put before each text; default what the model declares.
        prompt: name of a prefix that the model declares, in place of the text itself.
        dimensions: keep the first numbers of each vector only, this many.
        layer: whose hidden states are pooled; negative counts from the last, default the last.
    """

    prefix: str | None = None
    prompt: str | None = None
    dimensions: int | None = None
    layer: int | None = None


def predict_file(directory: Path, job: Job, watch: Watch) -> Done:
    """Answer all rows with a checkpoint or bundle that has a head.

    Raises:
        ModelError: it has none, cannot be opened, or is no cascade and a language is given.
        DataError: the input cannot be read, or the output not written; no row can be answered.
        MalformedRowError: there is a bad row, and the job is strict.
    """
    head = head_for(directory)
    opened: list[Predictor] = []

    def model() -> tuple[Answering, int]:
        session = Session(open_model(directory), 1 if job.alone else None)
        opened.append(session.predictor)
        in_language(session.predictor, job.language)

        def answer(rows: Sequence[Sequence[str]]) -> Answers:
            before = session.cut
            found = list(head.answers(session, [head.example(texts) for texts in rows]))
            return found, session.cut - before

        return answer, 0

    done = run(job, head, model, TABLES, watch)
    by_member = [answered(one) for one in opened if isinstance(one, Staged)]
    return replace(done, answered=by_member[0]) if by_member else done


def embed_file(directory: Path, job: Job, watch: Watch, vectors: Vectors | None = None) -> Done:
    """Write a vector of length 1 per row, pooled as the checkpoint or bundle declares.

    Raises:
        ModelError: it cannot be opened, gives no hidden states, is pooled in an unknown way, has no
            such prompt, or has shorter vectors.
        DataError, MalformedRowError: as `predict_file`.
    """

    def model() -> tuple[Answering, int]:
        made = vectors or Vectors()
        embed = SentenceEmbedder(
            directory,
            made.prefix,
            made.layer,
            prompt=made.prompt,
            dimensions=made.dimensions,
            alone=job.alone,
        )

        def answer(rows: Sequence[Sequence[str]]) -> Answers:
            before = embed.session.cut
            found = [{"vector": vector} for vector in embed([text for (text,) in rows])]
            return found, embed.session.cut - before

        return answer, embed.width

    return run(job, OneText(), model, VECTORS, watch)


def run(
    job: Job,
    texts: Texts,
    model: Callable[[], tuple[Answering, int]],
    allowed: Sequence[str],
    watch: Watch,
) -> Done:
    """Write an answer to each row.

    Args:
        model: opens the model: what answers, and the width of its vectors where it gives some.
        allowed: forms of the output.

    Raises: as `predict_file`.
    """
    reading = Reading(job.reading.form, job.reading.columns, texts.columns)
    with (
        open_output(job.output, job.to, allowed) as output,
        open_rows(job.file, reading) as rows,
    ):
        take = TextTaker(rows, texts, reading.columns)
        answer, width = model()
        columns = None if isinstance(rows, Lines) else rows.columns
        encoder = output.encoder(columns, rows.schema, width)
        answerer = RowAnswerer(rows, take, answer, encoder, output.sink, watch, strict=job.strict)
        done = answerer.run()
        if done.rows == done.bad and not (isinstance(rows, Lines) and not done.rows):
            output.discard()
            bad = f"none of its {done.rows:,} rows can be read" if done.rows else "there is no row"
            raise DataError(f"{rows.name}: {bad}")
        output.publish(width)
    return done
