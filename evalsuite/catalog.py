"""Components found by their file names: listing imports nothing, use imports one file.

>>> tasks = Catalogue("evalsuite.tasks", "task", attribute="TASK")
>>> tasks.names()[:3]
('bucc2018', 'lareqa', 'mewslix')
>>> tasks.get("xnli").title
'XNLI'

A file (or a folder with an `__init__.py`) whose name begins with `_` is not a component.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Generic, TypeVar

from evalsuite.errors import UnknownNameError

Component = TypeVar("Component")


class Catalogue(Generic[Component]):
    """The components of one package, one file each.

    Args:
        package: dotted name of the package whose files are the components.
        kind: what a component is called in messages, such as `task`.
        attribute: the object in each file that is the component; without it, the module itself.
    """

    def __init__(self, package: str, kind: str, attribute: str | None = None) -> None:
        self.package, self.kind, self.attribute = package, kind, attribute
        self.added: dict[str, Component] = {}  # those of this process that have no file

    def files(self) -> dict[str, Path]:
        """Name -> file or folder, sorted by name. Imports none of them."""
        folders = importlib.import_module(self.package).__path__
        paths = {
            path.stem: path
            for folder in folders
            for path in Path(folder).iterdir()
            if not path.name.startswith(("_", "."))
            and (path.suffix == ".py" or (path / "__init__.py").is_file())
        }
        return dict(sorted(paths.items()))

    def names(self) -> tuple[str, ...]:
        """Names of the components, sorted. Imports none of them."""
        return tuple(sorted({*self.files(), *self.added}))

    def get(self, name: str) -> Component:
        """One component; its file is imported now.

        Raises:
            UnknownNameError: there is no such component; offers the nearest name.
        """
        if name in self.added:
            return self.added[name]
        module = f"{self.package}.{name}"
        if module not in sys.modules or name.startswith("_"):  # listing reads the folder
            known = self.names()
            if name not in known:
                raise UnknownNameError(self.kind, name, known)
        component: Any = importlib.import_module(module)
        if self.attribute is not None:
            component = getattr(component, self.attribute)
        return component  # type: ignore[no-any-return]
