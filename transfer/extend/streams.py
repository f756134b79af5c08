"""The lines of a stream, as rows of the objectives of `extend` that need no translation.

>>> streams = open_streams(options, tokenizer_dir, source)
>>> sorted(streams)
['english', 'lines', 'mlm']

A teacher reads the text of each row while the student is trained; nothing is kept per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite import tokenization
from evalsuite.task import DataSource
from transfer.extend.options import Options
from transfer.extend.rules import readers
from transfer.loop.stream_plan import StreamPlan
from transfer.loop.types import Progress
from transfer.registry import TEACHERS
from transfer.text.kept_text import KeptText, text_of
from transfer.text.stream import Streamed, tokenize


@dataclass(frozen=True, slots=True)
class StreamRows:
    """Rows of one objective, by the indices that its batches have.

    Attributes:
        plan: of the batches.
        texts: the same rows as text; None where no teacher reads them.
    """

    plan: StreamPlan
    texts: StreamPlan | None

    def __getitem__(self, index: int) -> list[int]:
        """Token ids, special tokens included."""
        return self.plan.ids(index)

    def text(self, index: int) -> str:
        """The text, as far as the token ids reach."""
        assert self.texts is not None
        return text_of(self.texts.ids(index))


@dataclass(frozen=True, slots=True)
class StreamedLines:
    """Languages that one objective reads.

    Attributes:
        ids: token ids of their lines.
        texts: the same lines as text; None where no teacher reads them.
    """

    ids: Streamed
    texts: Streamed | None

    def batches(self, options: Options) -> Callable[[int, int], StreamPlan]:
        """Makes the plan of a number of batches of a part."""
        return lambda count, part: _plan(self.ids, options, count, part)

    def rows(self, plan: StreamPlan, options: Options) -> StreamRows:
        """The rows of a plan that was made by `batches`."""
        if self.texts is None:
            return StreamRows(plan, None)
        return StreamRows(plan, _plan(self.texts, options, len(plan), plan.part))


def _plan(text: Streamed, options: Options, count: int, part: int) -> StreamPlan:
    return text.plan(
        alpha=options.alpha,
        batch_size=options.batch_size,
        steps=count,
        seed=options.settings.seed + part,
        part=part,
    )


def all_rows(streams: Mapping[str, StreamedLines]) -> int:
    """Lines of all languages, each counted once."""
    corpora = {code: found for each in streams.values() for code, found in each.ids.corpora.items()}
    return sum(len(corpus) for corpus in corpora.values())


def open_streams(
    options: Options,
    directory: Path,
    source: DataSource,
    progress: Progress = lambda fraction, text: None,
) -> dict[str, StreamedLines]:
    """The lines that each objective reads, by its name in `rules.readers`; none without a stream.

    Args:
        directory: of the tokenizer.
        source: whose evaluation text is left out.

    Raises:
        DataError: a shard is absent or cannot be read, or has no text.
    """
    if options.stream is None:
        return {}
    languages = {
        name: codes
        for name, codes in readers(
            sorted(options.stream.places),
            TEACHERS.get(options.teacher).languages if options.teacher is not None else (),
            mlm=options.mlm,
            lines=options.lines,
            english=options.sentences * options.english,
        ).items()
        if codes
    }

    def tokenized(coder: Any, wanted: Iterable[str]) -> Streamed:
        assert options.stream is not None
        places = {code: options.stream.places[code] for code in wanted}
        stream = replace(options.stream, places=places)
        if not places:
            return Streamed(stream, {})
        return tokenize(stream, coder, options.max_length, source, progress)

    tokenizer = tokenization.load(directory)
    ids = tokenized(tokenizer, {code for codes in languages.values() for code in codes})
    read = {code for name, codes in languages.items() if name != "mlm" for code in codes}
    texts = tokenized(KeptText(tokenizer), read)
    return {
        name: StreamedLines(ids.only(codes), None if name == "mlm" else texts.only(codes))
        for name, codes in languages.items()
    }
