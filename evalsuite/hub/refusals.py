"""What a failed request to the hub means, in one message.

>>> Asked("org/name", "model").problem(error)
ModelError('the hub has no model org/name, or it is private (HTTP 401) ...')

`huggingface_hub` and `datasets` raise a dozen types of four libraries, and `datasets` drops the
cause of some. Where the error does not tell, the hub is asked once more about the repository alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from evalsuite.errors import DataError, EvalsuiteError, ModelError, OfflineError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

_LOG_IN = "log in (hf auth login) with an account that may read it"
_LOG_IN_TO_WRITE = (
    "log in (hf auth login) with a token that may write (role: write), of an account that may "
    "write there"
)
_SCRIPT = re.compile(r"scripts are no longer supported, but found (\S+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        revision: a branch, a tag or a commit; None is the main branch.
        writing: whether files go up, rather than down.
    """

    repo: str
    kind: Literal["model", "dataset"]
    revision: str | None = None
    writing: bool = False

    def __str__(self) -> str:
        name = f"{'data set' if self.kind == 'dataset' else 'model'} {self.repo}"
        if self.revision is None:
            return name
        return f"{name}@{self.revision[:12] if _COMMIT.fullmatch(self.revision) else self.revision}"

    @property
    def url(self) -> str:
        """Its page."""
        from huggingface_hub import constants

        return f"{constants.ENDPOINT}/{'datasets/' if self.kind == 'dataset' else ''}{self.repo}"

    @property
    def _log_in(self) -> str:
        return _LOG_IN_TO_WRITE if self.writing else _LOG_IN

    def problem(self, error: BaseException) -> EvalsuiteError:
        """The error to raise: what is wrong, and what to do."""
        return self._known(error) or self._known(self._asked_again()) or self._unknown(error)

    def _asked_again(self) -> BaseException | None:
        """What the hub says of the repository and its revision; None where it has both."""
        from huggingface_hub import HfApi

        try:
            api = HfApi()
            api.repo_info(self.repo, repo_type=self.kind, revision=self.revision, timeout=10)
            api.auth_check(self.repo, repo_type=self.kind)  # the files of it
        except Exception as error:  # any of them is the answer
            return error
        return None

    def _known(self, error: BaseException | None) -> EvalsuiteError | None:
        for one in _chain(error):
            if found := self._refused(one) or self._cut_off(one):
                return found
        return None

    def _refused(self, error: BaseException) -> EvalsuiteError | None:
        """The hub answered, and did not give it."""
        from huggingface_hub import errors

        refused = ModelError if self.kind == "model" else DataError
        if match := _SCRIPT.search(str(error)):
            return refused(
                f"the {self} comes with a script that loads it ({match[1]}), and code of a data "
                "set is never run\n"
                "the hub's own copy in parquet, where there is one, is the revision "
                "refs/convert/parquet"
            )
        if not isinstance(error, errors.HfHubHTTPError):
            return None
        status = error.response.status_code
        if isinstance(error, errors.GatedRepoError):
            return refused(
                f"the {self} is gated: its owners ask for consent first (HTTP {status})\n"
                f"accept its terms at {self.url}, then {self._log_in}"
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return refused(
                f"the hub has no {self}, or it is private (HTTP {status})\n"
                f"check the name; for a private repository, {self._log_in}"
            )
        if isinstance(error, errors.RevisionNotFoundError):
            return refused(
                f"the hub has the {self.kind.replace('dataset', 'data set')} {self.repo}, and no "
                f"revision {self.revision} of it; it was moved or deleted\n"
                f"those it has are listed at {self.url}/commits/main"
            )
        no_file = isinstance(error, errors.EntryNotFoundError)
        if no_file and self.kind == "model" and not self.writing:
            return refused(
                f"the hub has the {self}, but no {_file(error)} in it\n"
                "name a checkpoint of transformers; the files of this one are listed at "
                f"{self.url}/tree/{self.revision or 'main'}"
            )
        if status == 429:
            return OfflineError(
                f"{self}: the hub refuses more requests for a while (HTTP 429){_wait(error)}\n"
                "run the same command again later; files that are whole are kept, and an account "
                "has a higher limit (hf auth login)"
            )
        if status in (401, 403):
            return refused(f"the hub refuses access to the {self} (HTTP {status})\n{self._log_in}")
        if status >= 500:
            return OfflineError(
                f"{self}: the hub fails (HTTP {status})\n"
                "run the same command again later; files that are whole are kept"
            )
        return None

    def _cut_off(self, error: BaseException) -> EvalsuiteError | None:
        """No answer came, or not all of it."""
        absent = "" if self.writing else f"the {self} is not on this machine, and "
        kinds = {base.__name__ for base in type(error).__mro__}  # of httpx, in any version
        if "OfflineModeIsEnabled" in kinds:
            return OfflineError(f"{absent}HF_HUB_OFFLINE is set")
        if kinds & {"ConnectError", "TimeoutException"}:
            return OfflineError(f"{absent}the hub cannot be reached ({_first_line(error)})")
        broken = kinds & {"NetworkError", "RemoteProtocolError"}
        said = ("Consistency check failed", "Network error:")  # of the client, of its Xet storage
        if broken or any(part in str(error) for part in said):
            return self._broken_off(error)
        return None

    def _broken_off(self, error: BaseException) -> OfflineError:
        return OfflineError(
            f"{self}: the connection was cut off ({_first_line(error)})\n"
            "run the same command again; files that are whole are kept"
        )

    def _unknown(self, error: BaseException) -> EvalsuiteError:
        if isinstance(error, ConnectionError):  # `datasets` gave up reading
            return self._broken_off(error)
        refused = ModelError if self.kind == "model" else DataError
        action = "write" if self.writing else "read"
        reason = f"{type(error).__name__}: {_first_line(error)}"
        return refused(f"cannot {action} the {self}: {reason}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from, each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _file(error: HfHubHTTPError) -> str:
    """The file that was asked for, by the address of the answer."""
    path = urlsplit(str(error.response.url)).path.partition("/resolve/")[2]
    return unquote(path.partition("/")[2]) or "such file"


def _wait(error: BaseException) -> str:
    match = re.search(r"Retry after (\d+) seconds", str(error))
    return f"; it says to wait {match[1]} s" if match else ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
