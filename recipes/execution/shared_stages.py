"""What a run takes from a shared cache and puts there; a store that fails never stops a run.

>>> stages = SharedStages(cache, display)
>>> stages.pull("train", key, "teacher")
True
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from recipes.execution.cache import Cache
from recipes.execution.display import Display
from recipes.execution.run_record import RunOutcome
from recipes.execution.shared_cache import DamagedError, SharedCache, SharedCacheError
from recipes.execution.workspace import Workspace


def require(space: Workspace) -> None:
    """Refuse a workspace whose shared cache cannot be opened.

    Raises:
        SharedCacheError: says what the store answered.
    """
    if space.shared:
        SharedCache(space.shared).require()


class SharedStages:
    """The shared cache of a workspace, if it has one; what goes wrong is said on the display."""

    def __init__(self, cache: Cache, display: Display) -> None:
        self.cache, self.display = cache, display
        self._opened: SharedCache | None = None
        self._damaged: set[str] = set()  # could not be copied, whatever the reason
        self._not_whole: set[str] = set()

    def _shared(self) -> SharedCache | None:
        address = self.cache.workspace.shared
        if address and self._opened is None:
            self._opened = SharedCache(address)
        return self._opened

    def pull(self, kind: str, key: str, label: str) -> bool:
        """Publish a stage from the shared cache, where it is there; the lock must be held."""
        try:
            if self.cache.is_made_again(key) or (shared := self._shared()) is None:
                return False
            name = self.cache.path(kind, key).name
            if self.cache.fetch(kind, key, lambda out: shared.pull(name, out)):
                self.display.say(f"{label}: copied from the shared cache")
                return True
        except SharedCacheError as error:
            self._damaged.add(key)
            if isinstance(error, DamagedError):
                self._not_whole.add(key)
            self.display.say(f"{label}: {error}; it is made here")
        return False

    def remove_damaged(self, kind: str, key: str) -> None:
        """Remove a stage that is there and not whole, so that whoever has it copies it again."""
        name = self.cache.path(kind, key).name
        if key in self._not_whole and (shared := self._shared()) is not None:
            with suppress(SharedCacheError):
                shared.remove(name)

    def push(self, path: Path, key: str, label: str) -> None:
        """Copy a stage that was made here to the shared cache, in place of a damaged one."""
        replace = key in self._damaged or key in self.cache.workspace.again
        try:
            if shared := self._shared():
                shared.push(path, path.name, replace=replace)
        except SharedCacheError as error:
            self.display.say(
                f"{label}: {error}; it is kept here only\nto copy it later: lingopress cache push"
            )

    def note_run(self, outcome: RunOutcome) -> None:
        """Tell the shared cache which stages this run names."""
        try:
            if shared := self._shared():
                shared.note_run(
                    outcome.recipe,
                    datetime.now(UTC).isoformat(timespec="seconds"),
                    tuple(sorted({stage.path.name for stage in (*outcome.stages, *outcome.kept)})),
                    self.cache.workspace.root,
                )
        except SharedCacheError as error:
            self.display.say(str(error))
