"""What is written: standard output, or a file that is whole or not there.

```
out.csv.partial             the rows so far, window by window
out.csv.partial.bad.jsonl   the rows that were left out so far, and why
out.csv.partial.json        how much of both counts, written after each window
out.csv                     all rows: the first file under its final name, or made of it
out.csv.bad.jsonl           the rows left out, where there are any
```

After a kill at any moment the same command goes on after the last window that was written whole.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from evalsuite.bulk.rows import BadRow
from evalsuite.errors import DataError

_BLOCK = 1 << 20
_GO_ON = "what was answered is kept; put that right, then run the same command again to go on"
_AGAIN = "put that right, then run the same command again"
_STREAMED = "put that right and begin again; with --output FILE a run goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Done:
    """How much was done.

    Attributes:
        rows: read, bad ones among them.
        digest: of all rows read.
        bytes, bad_bytes: of the two files.
        cut: rows that were longer than the model takes, and answered without their end; of a
            cascade, than one of its models takes. None: an earlier version began and counted none.
        answered: of a cascade, member -> rows that it answered in this run.
    """

    windows: int = 0
    rows: int = 0
    bad: int = 0
    digest: str = ""
    bytes: int = 0
    bad_bytes: int = 0
    cut: int | None = 0
    answered: Mapping[str, int] = field(default_factory=dict)


class Sink(Protocol):
    """Where windows are written.

    Attributes:
        name: for messages.
        done: what an earlier run has written, and this one.
    """

    name: str
    done: Done

    def holds(self, data: bytes, at: int) -> bool:
        """Whether these bytes are there, written by an earlier run."""
        ...

    def append(self, data: bytes, bad: Sequence[BadRow], rows: int, digest: str, cut: int) -> None:
        """Add a window."""
        ...

    def refuse(self, problem: str) -> DataError:
        """The error of a run that does not fit what an earlier one wrote."""
        ...


class StreamSink:
    """Standard output; nothing can be gone on with."""

    name = "standard output"

    def __init__(self) -> None:
        self.done = Done()

    def holds(self, data: bytes, at: int) -> bool:
        """Nothing is there."""
        return False

    def refuse(self, problem: str) -> DataError:
        """Nothing is there to refuse."""
        return DataError(problem)

    def append(self, data: bytes, bad: Sequence[BadRow], rows: int, digest: str, cut: int) -> None:
        """Write a window at once."""
        with written_out():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        done = self.done
        self.done = Done(
            windows=done.windows + 1,
            rows=done.rows + rows,
            bad=done.bad + len(bad),
            digest=digest,
            cut=None if done.cut is None else done.cut + cut,
        )


class Journal:
    """A file that grows under another name until it is whole.

    Args:
        path: its final name.
        remedy: what to do where the system refuses to write.

    Raises:
        DataError: it is there already, another process writes it, its folder is not there, or what
            an earlier run left of it is damaged.
    """

    def __init__(self, path: Path, remedy: str = _GO_ON) -> None:
        self.path, self.name, self._remedy = path, str(path), remedy
        self.partial, self.bad, self.state = (
            path.with_name(path.name + end)
            for end in (".partial", ".partial.bad.jsonl", ".partial.json")
        )
        self._following = self.state.with_name(self.state.name + ".new")
        self.left_out = path.with_name(path.name + ".bad.jsonl")
        self._check_absent()
        try:
            self._file = self.partial.open("a+b")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}") from None
        self._bad: IO[bytes] | None = None
        self.done = Done()
        try:
            self._go_on()
        except BaseException:
            self._shut()
            raise

    def _check_absent(self) -> None:
        if os.path.lexists(self.path):
            raise DataError(
                f"{self.path} is there already; delete it, or give --output another name"
            )

    def _go_on(self) -> None:
        """Take up what an earlier run left."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"{self.path} is being written by another process") from None
        if os.path.lexists(self.path) and self._is_partial() and not self._size():
            self.partial.unlink()  # made after another process finished the output
        self._check_absent()  # it may have been finished since
        if not self._is_partial():
            raise DataError(
                f"{self.path} was being written by another process until now; "
                "run the same command again"
            )
        if self._size():  # else nothing was written yet
            self.done = self._read_state()
        self._bad = self.bad.open("a+b")
        for file, size in ((self._file, self.done.bytes), (self._bad, self.done.bad_bytes)):
            if file.seek(0, os.SEEK_END) < size:
                raise self.refuse("it is shorter than it was")
            file.truncate(size)

    def _size(self) -> int:
        return self._file.seek(0, os.SEEK_END)

    def _is_partial(self) -> bool:
        """Whether the locked file still has its name; else it was published or removed."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._file.fileno()), self.partial.stat())
        return False

    def _read_state(self) -> Done:
        try:
            found: Any = json.loads(self.state.read_text("utf-8"))
            done = Done(**{"cut": None, **found})
            numbers = [done.windows, done.rows, done.bad, done.bytes, done.bad_bytes]
            numbers += [] if done.cut is None else [done.cut]
            if not all(type(number) is int and number >= 0 for number in numbers):
                raise ValueError("a count is no number")
            return done
        except FileNotFoundError:
            return Done()
        except (ValueError, TypeError, OSError) as error:
            raise self.refuse(f"{self.state.name}: {error}") from None

    def refuse(self, problem: str) -> DataError:
        """The error of a run that does not fit what an earlier one wrote."""
        left = shlex.join(map(str, (self.partial, self.state)))
        return DataError(
            f"{self.partial} cannot be gone on with: {problem}\nto begin again, type: rm {left}"
        )

    def holds(self, data: bytes, at: int) -> bool:
        """Whether these bytes are in the file at a place."""
        self._file.seek(at)
        return self._file.read(len(data)) == data

    def append(self, data: bytes, bad: Sequence[BadRow], rows: int, digest: str, cut: int) -> None:
        """Add a window: its bytes first, then how far they count."""
        assert self._bad is not None
        done = self.done
        listed = "".join(
            json.dumps({"row": row.line, "problem": row.problem}, ensure_ascii=False) + "\n"
            for row in bad
        ).encode("utf-8")
        after = Done(
            windows=done.windows + 1,
            rows=done.rows + rows,
            bad=done.bad + len(bad),
            digest=digest,
            bytes=done.bytes + len(data),
            bad_bytes=done.bad_bytes + len(listed),
            cut=None if done.cut is None else done.cut + cut,
        )
        with self.guard():
            for file, added in ((self._file, data), (self._bad, listed)):
                file.write(added)
                file.flush()
                if added:
                    os.fsync(file.fileno())
            self._following.write_text(json.dumps(asdict(after)), "utf-8")
            self._following.replace(self.state)
        self.done = after

    def guard(self) -> AbstractContextManager[None]:
        """For all that is written: one message where the system refuses it."""
        nothing = self._remedy == _GO_ON and not self.done.windows
        return guarded(self.name, _AGAIN if nothing else self._remedy)

    def publish(self, rows: Path) -> None:
        """Give a file of all rows the final name."""
        with rows.open("rb") as file:
            os.fsync(file.fileno())
        if self.done.bad:
            shutil.copyfile(self.bad, self.left_out)
        else:
            self.left_out.unlink(missing_ok=True)  # of an earlier run
        rows.replace(self.path)
        self.discard()

    def discard(self) -> None:
        """Remove what is left of the run; the name that is locked last."""
        for path in (self.bad, self._following, self.state, self.partial):
            path.unlink(missing_ok=True)
        self._shut()

    def close(self) -> None:
        """Let another process go on; of nothing written nothing stays."""
        if not self._file.closed and not self.done.windows:
            for path in (self.bad, self._following, self.partial):
                with suppress(OSError):
                    path.unlink()
        self._shut()

    def _shut(self) -> None:
        for file in (self._file, self._bad):
            if file is not None:
                with suppress(OSError):  # of a full disk; the next run cuts off what it holds
                    file.close()


@contextmanager
def guarded(name: str, remedy: str) -> Iterator[None]:
    """Name what the system refuses to write, and say what to do.

    Raises:
        DataError: in place of an `OSError`, such as of a full disk.
    """
    try:
        yield
    except BrokenPipeError:  # nobody reads any more
        raise
    except OSError as error:
        problem = f"{name} cannot be written: {error.strerror or error}"
        raise DataError(f"{problem}\n{remedy}") from error


@contextmanager
def written_out() -> Iterator[None]:
    """For what is written to standard output: one message where the system refuses it.

    Raises:
        DataError: it does. What was not written yet is dropped, or Python would try it at its end.
    """
    with guarded(StreamSink.name, _STREAMED):
        try:
            yield
        except OSError:
            # standard output may have no descriptor
            with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            raise


def packed(path: Path, suffix: str) -> Path:
    """A compressed copy, the same at any time: `.gz` or `.zst`."""
    import zstandard

    out = path.with_name(path.name + suffix)
    with path.open("rb") as rows, out.open("wb") as file:
        if suffix == ".gz":
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as writer:
                shutil.copyfileobj(rows, writer, _BLOCK)
        else:
            zstandard.ZstdCompressor().copy_stream(rows, file)
    return out
