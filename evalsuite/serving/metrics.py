"""Counts and times in the form of Prometheus, for `GET /metrics`.

>>> metrics = Metrics()
>>> metrics.ran("int8", rows=32, seconds=0.1, by_member={})

Names of models and routes are those of this server alone, so that no client can add series. Memory
and processor time are read from `/proc/self`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """The series of one server."""

    def __init__(self) -> None:
        # no second series per series, with the time it began
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "lingopress_requests", "Requests.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "lingopress_request_seconds",
            "Time from the headers of a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Counter(
            "lingopress_rows", "Rows answered.", ("model",), registry=self._registry
        )
        self._member_rows = Counter(
            "lingopress_member_rows",
            "Rows that a model of a cascade answered.",
            ("model", "member"),
            registry=self._registry,
        )
        self._batch_rows = Histogram(
            "lingopress_batch_rows",
            "Rows that were run together.",
            ("model",),
            buckets=_ROWS,
            registry=self._registry,
        )
        self._batch_seconds = Histogram(
            "lingopress_batch_seconds",
            "Time that a batch took.",
            ("model",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._waiting = Gauge(
            "lingopress_waiting_rows", "Rows that wait.", ("model",), registry=self._registry
        )

    def watch(self, model: str, waiting: Callable[[], int]) -> None:
        """Show how many rows wait for a model."""
        self._waiting.labels(model).set_function(waiting)

    def ran(self, model: str, rows: int, seconds: float, by_member: Mapping[str, int]) -> None:
        """A batch was run.

        Args:
            by_member: of a cascade, rows that each of its models answered.
        """
        for member, answered in by_member.items():
            self._member_rows.labels(model, member).inc(answered)
        self._rows.labels(model).inc(rows)
        self._batch_rows.labels(model).observe(rows)
        self._batch_seconds.labels(model).observe(seconds)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All series, in Prometheus's text form."""
        return generate_latest(self._registry)


class Counted:
    """Counts the requests of an application.

    Args:
        routes: paths with a series each; others share one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: frozenset[str]) -> None:
        self._app, self._metrics, self._routes = app, metrics, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 499  # where the client left before the answer

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            path = scope["path"]
            route = path if path in self._routes else "other"
            self._metrics.answered(route, status, time.perf_counter() - started)
