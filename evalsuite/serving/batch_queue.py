"""Rows of many requests, run together by one thread.

>>> queue = BatchQueue(model.answer, Limits(), name="int8")
>>> queue.start()
>>> await queue.answers(rows)
[{'label': 'neutral', 'scores': {...}}]

While a batch runs, the rows of other requests gather; they are the next batch. Where nothing runs,
a row waits `Limits.wait` for others. The model sorts the rows of a batch by length.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalsuite.errors import EvalsuiteError
from evalsuite.serving.limits import Limits
from evalsuite.serving.refusals import BusyError, FailedError, LateError, StoppingError

Run = Callable[[Sequence[Any]], list[Any]]
Ran = Callable[[int, float], None]  # rows of a batch, its seconds


@dataclass(slots=True, eq=False)
class _Request:
    """The rows of a request.

    Attributes:
        begun: rows that were taken into batches.
        missing: rows without an answer.
        left: nobody waits for the answer any more.
    """

    rows: Sequence[Any]
    future: asyncio.Future[list[Any]]
    since: float
    results: list[Any] = field(default_factory=list)
    begun: int = 0
    missing: int = 0
    left: bool = False


_Taken = list[tuple[_Request, range]]


class BatchQueue:
    """The queue of one model.

    Args:
        run: gives the answers to rows, in order; called by the queue's thread.
        name: of the model, for messages.
        ran: called after each batch, by the queue's thread.

    Attributes:
        waiting: rows that are in no batch yet.
    """

    def __init__(
        self, run: Run, limits: Limits, name: str, ran: Ran = lambda rows, seconds: None
    ) -> None:
        self.waiting = 0
        self._run, self._limits, self._name, self._ran = run, limits, name, ran
        self._requests: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name=f"batches {name}", daemon=True)

    def start(self) -> None:
        """Begin; called inside the loop that gets the answers."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, seconds: float) -> None:
        """Take no more rows, answer those that wait, and end; wait so long for that."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, seconds)

    @property
    def alive(self) -> bool:
        """Whether rows are still answered."""
        return self._thread.is_alive() and not self._stopped

    async def answers(self, rows: Sequence[Any]) -> list[Any]:
        """One answer per row, in order.

        Raises:
            BusyError: too many rows wait.
            LateError: the answer is not ready in time.
            StoppingError: the server ends.
            FailedError: the model gave no answer.
        """
        loop = asyncio.get_running_loop()
        request = _Request(rows, loop.create_future(), time.monotonic())
        request.results, request.missing = [None] * len(rows), len(rows)
        with self._changed:
            if self._stopped:
                raise StoppingError("the server is ending; send the request to another one")
            if self.waiting + len(rows) > self._limits.queue:
                raise BusyError(
                    f"{self.waiting:,} rows wait for the model {self._name!r}, and this server "
                    f"lets {self._limits.queue:,} wait; send these {len(rows):,} again later"
                )
            self._requests.append(request)
            self.waiting += len(rows)
            self._changed.notify()
        try:
            async with asyncio.timeout(self._limits.answer):
                return await request.future
        except TimeoutError:
            raise LateError(
                f"there was no answer within {self._limits.answer:g} seconds; send fewer rows, or "
                "send them later"
            ) from None
        finally:
            request.left = True

    def _work(self) -> None:
        while taken := self._take():
            rows = [row for request, some in taken for row in request.rows[some.start : some.stop]]
            started = time.perf_counter()
            answers, failures = self._answered(taken, rows)
            self._ran(len(rows), time.perf_counter() - started)
            assert self._loop is not None
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_deliver, taken, answers, failures)

    def _take(self) -> _Taken:
        """The rows of the next batch; none where the queue has ended."""
        with self._changed:
            while True:
                while not self._requests and not self._stopped:
                    self._changed.wait()
                if not self._requests:
                    return []
                self._wait_for_others()
                if taken := self._cut():
                    return taken

    def _wait_for_others(self) -> None:
        due = self._requests[0].since + self._limits.wait / 1000
        while self.waiting < self._limits.batch and not self._stopped:
            left = due - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _cut(self) -> _Taken:
        """The first rows that wait; not those of requests that nobody waits for."""
        taken: _Taken = []
        free = self._limits.batch
        while self._requests and free:
            request = self._requests[0]
            begun = request.begun
            count = 0 if request.left else min(free, len(request.rows) - begun)
            if count:
                taken.append((request, range(begun, begun + count)))
            request.begun += count
            free -= count
            self.waiting -= count
            if request.begun == len(request.rows) or not count:
                self._requests.popleft()
                self.waiting -= len(request.rows) - request.begun
        return taken

    def _answered(
        self, taken: _Taken, rows: Sequence[Any]
    ) -> tuple[list[Any], dict[int, FailedError]]:
        """Answers, and number in the batch -> failure.

        After a failure each request runs alone, so that only those fail whose rows are to blame.
        """
        try:
            return self._run(rows), {}
        except Exception as error:  # of any kind: the server goes on
            if len(taken) == 1:
                return [None] * len(rows), {0: _failure(error)}
        answers: list[Any] = []
        failures: dict[int, FailedError] = {}
        for number, (request, some) in enumerate(taken):
            try:
                answers += self._run(request.rows[some.start : some.stop])
            except Exception as error:
                answers += [None] * len(some)
                failures[number] = _failure(error)
        return answers, failures


def _failure(error: Exception) -> FailedError:
    known = isinstance(error, EvalsuiteError)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    return FailedError(f"the model gave no answer: {reason}")


def _deliver(taken: _Taken, answers: Sequence[Any], failures: dict[int, FailedError]) -> None:
    """Give answers to the requests that wait for them; in the loop's thread."""
    place = 0
    for number, (request, some) in enumerate(taken):
        request.results[some.start : some.stop] = answers[place : place + len(some)]
        place += len(some)
        request.missing -= len(some)
        if request.future.done():
            continue
        if number in failures:
            request.left = True
            request.future.set_exception(failures[number])
        elif not request.missing:
            request.future.set_result(request.results)
