"""The exceptions of `evalsuite`.

```
EvalsuiteError                a person can put it right; the message says how
├── DataError                 something is wrong with rows or files
│   ├── MissingDataError      a file or directory is not where it should be
│   ├── MalformedRowError     a row does not have the layout its task has
│   └── OfflineError          the hub cannot be reached
├── UnknownNameError          no task, language, metric or runtime of that name
├── MetricError               a task names a metric that does not fit it
├── ModelError                a checkpoint or bundle cannot be used
│   ├── PickleRefusedError    the weights are a pickle
│   ├── RemoteCodeRefusedError  it opens only with the code in it
│   └── NotFiniteError        weights or outputs are NaN or infinite
├── FamilyError               a family of models does not have what is asked of it
├── PluginError               a plugin cannot be loaded, or has a name that is taken
├── MissingExtraError         an optional dependency is not installed
└── KilledError               the system ended a process; the same command may succeed again
```

Every message says what, where, and what to type next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from evalsuite.install_command import how_to_install


class EvalsuiteError(Exception):
    """Base of every error of this package that a person can put right."""


class DataError(EvalsuiteError):
    """Rows or files are not usable."""


class MissingDataError(DataError):
    """A data file is absent."""

    def __init__(self, path: Path, what: str, layout: str) -> None:
        self.path = path
        dangling = f"{path} is a link to a file that does not exist"
        super().__init__(
            f"{what}: {dangling if path.is_symlink() else f'there is no {path}'}\n"
            f"expected layout: {layout}\n"
            "point --data-dir at a directory in the layout of the XTREME download scripts"
        )


class MalformedRowError(DataError):
    """One row of a file does not have its task's layout."""

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(f"{path}:{line}: {problem}")


class OfflineError(DataError):
    """The hub cannot be reached."""


class UnknownNameError(EvalsuiteError):
    """No component has that name; the message offers the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {name!r}{hint}\nknown: {', '.join(known)}")


class MetricError(EvalsuiteError):
    """A task names a metric that does not exist or does not fit its rows."""


class ModelError(EvalsuiteError):
    """A checkpoint or bundle cannot be used."""


class FamilyError(EvalsuiteError):
    """A family of models cannot be changed or run as asked."""


class PickleRefusedError(ModelError):
    """The weights are a pickle, which can run code when it is read."""

    def __init__(self, directory: Path, files: Iterable[str]) -> None:
        super().__init__(
            f"{directory} holds pickled weights ({', '.join(sorted(files))}) "
            "and no model.safetensors; "
            "a pickle can run code when it is opened, so it is refused.\n"
            "convert it once, in an environment you trust: "
            'python -c "from transformers import AutoModel; '
            f"AutoModel.from_pretrained('{directory}').save_pretrained('{directory}-safe')\""
        )


class KilledError(EvalsuiteError):
    """A process was ended from outside; nobody made a mistake."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(
            f"{what} was killed, most often by the system because memory ran out\n"
            f"run the same command again{remedy}; it goes on where it stopped"
        )


class RemoteCodeRefusedError(ModelError):
    """The checkpoint brings code, which is never run."""

    def __init__(self, directory: Path, kind: str) -> None:
        super().__init__(
            f"{directory} has the model type {kind!r}, which transformers does not know, and code "
            "to open it (auto_map in its config.json); code of a checkpoint is never "
            "run\nuse a checkpoint whose model type transformers knows, such as xlm-roberta"
        )


class NotFiniteError(ModelError):
    """Weights or outputs are NaN or infinite."""


class PluginError(EvalsuiteError):
    """A plugin cannot be used."""


class MissingExtraError(EvalsuiteError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; {how_to_install(extra)}")
