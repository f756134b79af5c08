"""How long a running stage still takes, from its last reports.

A stage's first minutes are no measure of the rest: it reads text, compares layers or asks a teacher
before its first step. So the time is estimated from the last two minutes of reports, and a stage
that begins to count anew, with its next part, is measured anew.
"""

from __future__ import annotations

from collections import deque

WINDOW = 120.0  # seconds of reports that the rate is taken from
_SPAN, _GAIN = 30.0, 0.01  # with less time and less done there is no estimate


class TimeLeft:
    """Takes reports of what is done, and estimates the rest.

    >>> left = TimeLeft()
    >>> for second in (0, 600, 660, 720):
    ...     left.report(0.0 if second < 600 else (second - 600) / 1200, at=second)
    >>> left.seconds()
    1080.0
    """

    def __init__(self) -> None:
        self._reports: deque[tuple[float, float]] = deque()  # time and fraction, in order

    def report(self, fraction: float, at: float) -> None:
        """`fraction` (0 to 1) was done at the time `at`, in seconds of any clock."""
        if self._reports and fraction < self._reports[-1][1]:
            self._reports = deque()  # another thread may read the old one
        self._reports.append((at, fraction))
        while len(self._reports) > 2 and self._reports[1][0] <= at - WINDOW:
            self._reports.popleft()

    def seconds(self) -> float | None:
        """Estimated seconds from the last report until the end; None where too little is done."""
        if not (reports := self._reports):
            return None
        (began, before), (now, done) = reports[0], reports[-1]
        if done <= before or (done - before <= _GAIN and now - began < _SPAN):
            return None
        return (now - began) * (1 - done) / (done - before)
