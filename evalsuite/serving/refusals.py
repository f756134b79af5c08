"""Requests that are not answered, with the reason.

```
RefusalError          the request is answered with its `status` and message
├── NoKeyError        401: the key of the server is missing or wrong
├── NotValidError     422: what the body holds
├── UnknownModelError 404: no model of that name
├── TooLargeError     413: the body, or its number of rows
├── TooSlowError      408: the body did not arrive in time
├── BusyError         429: too many rows wait, or too many bytes are in work
├── LateError         503: there was no answer in time
├── StoppingError     503: the server ends
├── ConnectionsError  503: too many connections are open
└── FailedError       500: the model gave no answer
ClientLeftError       nobody waits for the answer any more; nothing is sent
```
"""

from __future__ import annotations

from typing import ClassVar


class RefusalError(Exception):
    """A request that is not answered.

    Attributes:
        status: of HTTP.
        kind: a word for programs.
        retry: seconds after which the same request may succeed.
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    retry: ClassVar[int | None] = None

    def body(self) -> dict[str, object]:
        """What is sent; the form is that of OpenAI's interface."""
        return error_body(self.status, self.kind, str(self))

    def headers(self) -> dict[str, str]:
        """That are sent with it: when to ask again, where that may help."""
        return {} if self.retry is None else {"retry-after": str(self.retry)}


class NoKeyError(RefusalError):
    """The request does not have the key of the server."""

    status, kind = 401, "no_key"


class NotValidError(RefusalError):
    """The body does not hold what it should."""

    status, kind = 422, "invalid_request"


class UnknownModelError(RefusalError):
    """There is no such model here."""

    status, kind = 404, "unknown_model"


class TooLargeError(RefusalError):
    """The request is larger than this server accepts."""

    status, kind = 413, "too_large"


class TooSlowError(RefusalError):
    """The request did not arrive in time."""

    status, kind = 408, "too_slow"


class BusyError(RefusalError):
    """More waits than this server accepts."""

    status, kind, retry = 429, "busy", 1


class LateError(RefusalError):
    """The answer was not ready in time."""

    status, kind, retry = 503, "late", 1


class StoppingError(RefusalError):
    """The server ends."""

    status, kind, retry = 503, "stopping", 1


class ConnectionsError(RefusalError):
    """More connections are open than this server accepts."""

    status, kind, retry = 503, "too_many_connections", 1


class FailedError(RefusalError):
    """The model gave no answer to these rows."""

    status, kind = 500, "failed"


class ClientLeftError(Exception):
    """The client closed the connection before its answer."""


def error_body(status: int, kind: str, message: str) -> dict[str, object]:
    """What is sent in place of an answer.

    >>> error_body(404, "unknown_model", "there is no model 'a'")["error"]["code"]
    404
    """
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}
