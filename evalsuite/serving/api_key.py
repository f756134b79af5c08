"""Answers only requests that have the key of the server.

>>> app.add_middleware(ApiKey, key="s3cret")  # requests have `Authorization: Bearer s3cret`

`/health` and `/ready` need no key, since what watches a process has none. Keys are compared in a
time that does not depend on where they differ, and before the body of a request is read.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from starlette.types import ASGIApp, Receive, Scope, Send

from evalsuite.errors import EvalsuiteError
from evalsuite.serving.json_answer import json_answer
from evalsuite.serving.refusals import NoKeyError

OPEN = frozenset(("/health", "/ready"))
_SCHEME = b"bearer"


class KeyFormError(EvalsuiteError):
    """A key that no header can hold."""


def checked(key: str) -> str:
    """The key, if a header can hold it.

    >>> checked("s3cret")
    's3cret'

    Raises:
        KeyFormError: it is empty, or has spaces or characters other than those of ASCII.
    """
    if not key or not all(33 <= ord(character) <= 126 for character in key):
        raise KeyFormError(
            "the API key is empty, or has spaces or letters that are not in ASCII; a key is made "
            'by: python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    return key


class ApiKey:
    """Refuses requests without the key.

    Args:
        key: of `checked`.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._digest = app, sha256(key.encode()).digest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        error = NoKeyError(
            "this server wants its key in a header: Authorization: Bearer KEY; this request has "
            "none, or another one"
        )
        headers = {"www-authenticate": "Bearer", "connection": "close"}
        await json_answer(error.body(), error.status, headers)(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, key = given[0].partition(b" ")
        same = hmac.compare_digest(sha256(key.strip()).digest(), self._digest)
        return same and scheme.lower() == _SCHEME
