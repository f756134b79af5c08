"""The directory a run works in.

```
.lingopress/
├── stages/<kind>-<key>/     finished outputs, each with its lingopress.json
├── partial/<key>/out work   stages in the making; work/ survives a kill
├── failed/<recipe>/<stage>/ what a failed gate stopped, to be looked at; never found as an output
├── locks/  logs/            one lock a stage, one log a stage
├── tokens/                  token ids of streamed text; may be deleted
├── tracked/<tracker>/       what TensorBoard and others show; may be deleted
├── runs/<recipe>/           run.json and links to the outputs of the last run
└── digests.json             digests of files that were read, by size, time and inode
```
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evalsuite.home_path import home_path
from recipes.errors import WorkspaceError
from recipes.execution.run_note import FILE, RunNote, read_note
from recipes.hashing import write_atomically
from recipes.naming import distinct_file_name, file_name

DEFAULT = ".lingopress"
VARIABLE = "LINGOPRESS_WORKSPACE"
_STAGE_NAME = re.compile(r".+-[0-9a-f]{20}")  # of the folder of a published stage: <kind>-<key>
SPARE = 200 * 2**20  # bytes to keep free, whatever a stage is fed


class Workspace:
    """Paths below one root; nothing is made until `prepare`.

    Attributes:
        shared: address of the cache shared with other machines; None: there is none.
        again: keys of stages that are to be made here, whatever the shared cache has (`--from`).
    """

    def __init__(self, root: Path | None = None, shared: str | None = None) -> None:
        self.shared = whole_address(shared) if shared else None
        self.again: set[str] = set()
        self.root = home_path(root or os.environ.get(VARIABLE) or DEFAULT).absolute()
        self.stages = self.root / "stages"
        self.partial = self.root / "partial"
        self.failed = self.root / "failed"
        self.locks = self.root / "locks"
        self.logs = self.root / "logs"
        self.runs = self.root / "runs"
        self.tokens = self.root / "tokens"
        self.tracked = self.root / "tracked"
        self.digests = self.root / "digests.json"

    def prepare(self) -> None:
        """Make the folders and prove that they can be written.

        Raises:
            WorkspaceError: they cannot; says what to type.
        """
        try:
            for folder in (self.stages, self.partial, self.locks, self.logs, self.runs):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", "utf-8")
        except OSError as error:
            if is_disk_full(error):
                raise self.full() from error
            raise WorkspaceError(
                f"the workspace {self.root} cannot be written: {error.strerror or error}\n"
                f"choose another: --workspace DIR, or export {VARIABLE}=DIR"
            ) from error

    def finished(self) -> list[Path]:
        """The published stages, by name; nothing that a person put among them.

        Raises:
            WorkspaceError: there are none, or they cannot be listed.
        """
        try:
            paths = sorted(self.stages.iterdir())
        except FileNotFoundError as error:
            raise WorkspaceError(
                f"there are no finished stages in {self.root}\nname another: --workspace DIR"
            ) from error
        except OSError as error:
            raise WorkspaceError(
                f"{self.stages} cannot be listed: {error.strerror or error}"
            ) from error
        return [path for path in paths if _STAGE_NAME.fullmatch(path.name)]

    def require_space(self, label: str, input_bytes: int) -> None:
        """Twice the inputs and a little more must be free.

        Raises:
            WorkspaceError: it is not.
        """
        need, free = 2 * input_bytes + SPARE, shutil.disk_usage(self.root).free
        if free < need:
            raise WorkspaceError(
                f"stage {label} needs about {size_text(need)} of disk and {self.root} has "
                f"{size_text(free)} free\n"
                "free some space, or choose another disk: --workspace DIR\n"
                f"to see what takes it: du -sh {self.stages}/* {self.failed}/* {self.partial}/*"
            )

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Name the file of the workspace that the system refuses, and say what to do.

        Raises:
            WorkspaceError: in place of an `OSError` about such a file, or about a full disk.
        """
        try:
            yield
        except OSError as error:
            if problem := self.problem(error):
                raise problem from error
            raise

    def problem(self, error: BaseException) -> WorkspaceError | None:
        """The error for what the system says about a file of the workspace; None for any other.

        Files inside `out` and `work` are the stage's: what goes wrong there may be its mistake.
        """
        if is_disk_full(error):
            return self.full()
        if not isinstance(error, OSError):
            return None
        for name in (error.filename2, error.filename):
            path = Path(str(name))
            if name is None or not path.is_relative_to(self.root):
                continue
            if self.partial in path.parents and len(path.relative_to(self.partial).parts) > 2:
                continue
            return WorkspaceError(
                f"{path} cannot be used: {error.strerror}\n"
                "move it away, or change its permissions, and run the same command again; finished "
                "stages are kept"
            )
        return None

    def full(self) -> WorkspaceError:
        """The error for a disk that filled up."""
        free = ""
        with suppress(OSError):
            free = f" ({size_text(shutil.disk_usage(self.root).free)} free)"
        return WorkspaceError(
            f"the disk of {self.root} is full{free}; finished stages are kept\n"
            "free some space and run the same command again, it goes on where it stopped\n"
            f"to see what takes it: du -sh {self.stages}/* {self.failed}/* {self.partial}/*"
        )

    def set_aside(self, out: Path, recipe: str, label: str) -> Path | None:
        """Keep a directory as what a recipe's stage failed with, in place of an earlier one.

        Returns:
            where it is now; None where it is empty or could not be moved.
        """
        self.drop_failed(recipe, label)
        kept = self._failed(recipe, label)
        with suppress(OSError):
            if not any(out.iterdir()):
                return None
            kept.parent.mkdir(parents=True, exist_ok=True)
            return out.rename(kept)
        return None

    def drop_failed(self, recipe: str, label: str) -> None:
        """Delete what a recipe's stage failed with before."""
        shutil.rmtree(self._failed(recipe, label), ignore_errors=True)

    def _failed(self, recipe: str, label: str) -> Path:
        return self.failed / distinct_file_name(recipe) / distinct_file_name(label)

    def write_run(self, note: RunNote, outputs: dict[str, Path]) -> Path:
        """Note the outputs of a run in `runs/<recipe>/`, with a link to each where links work."""
        folder = self.runs / distinct_file_name(note.recipe)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.is_symlink():
                old.unlink(missing_ok=True)  # another process may do the same
        for label, path in outputs.items():
            with suppress(OSError):
                link = folder / distinct_file_name(label)
                link.symlink_to(os.path.relpath(path, folder))
        left_out = None if note.recommended else {"recommended"}
        text = note.model_dump_json(indent=2, exclude=left_out)
        write_atomically(folder / FILE, text + "\n")
        return folder

    def read_run(self, recipe: str) -> RunNote | None:
        """`run.json` of a recipe's last run, or None; its paths are of this workspace.

        Raises:
            WorkspaceError: there is one that cannot be used.
        """
        for name in dict.fromkeys((distinct_file_name(recipe), file_name(recipe))):  # new, 0.1
            note = read_note(self.runs / name / FILE, recipe)
            if note is not None and note.recipe in ("", recipe):
                return note.within(self.stages)
        return None

    def run_names(self) -> list[str]:
        """Names of the recipes that have a finished run here; none whose note is spoilt."""
        names = []
        for folder in sorted(self.runs.iterdir()) if self.runs.is_dir() else ():
            with suppress(WorkspaceError):
                if note := read_note(folder / FILE, folder.name):
                    names.append(note.recipe or folder.name)
        return names


def whole_address(address: str) -> str:
    """The address of a cache, a directory from the root on: nodes have other current folders.

    >>> whole_address("s3://bucket/folder")
    's3://bucket/folder'
    """
    return address if "://" in address else str(home_path(address).absolute())


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or what caused it, is a full disk or quota."""
    import errno

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def size_text(count: float) -> str:
    """`1.5 GB`, in powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
