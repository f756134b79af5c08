"""Components found by their file names: listing imports nothing, use imports one file.

>>> tasks = Catalogue("evalsuite.tasks", "task", attribute="TASK")
>>> tasks.names()[:3]
('bucc2018', 'lareqa', 'mewslix')
>>> tasks.get("xnli").title
'XNLI'

A file (or a folder with an `__init__.py`) whose name begins with `_` is not a component. Plugins
(`evalsuite.plugins`) add to what a package has.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from evalsuite import plugins
from evalsuite.errors import PluginError, UnknownNameError

Component = TypeVar("Component")
Value = TypeVar("Value")


class Catalogue(Generic[Component]):
    """The components of one package, one file each.

    Args:
        package: dotted name of the package whose files are the components.
        kind: what a component is called in messages, such as `task`.
        attribute: the object in each file that is the component; without it, the module itself.
        marks: names that a plugin's file of this kind holds; default the attribute.
        group: last part of the name of the entry points of this kind; default no plugins.
    """

    def __init__(
        self,
        package: str,
        kind: str,
        attribute: str | None = None,
        marks: Sequence[str] = (),
        group: str = "",
    ) -> None:
        self.package, self.kind, self.attribute = package, kind, attribute
        self.marks, self.group = marks or ([attribute] if attribute else []), group
        self.added: dict[str, Component] = {}  # those of this process that have no file

    def files(self) -> dict[str, Path]:
        """Name -> file or folder, sorted by name, those of plugins too. Imports none of them."""
        offered = {name: plugins.source_of(module) for name, module in self._offered().items()}
        found = {name: path for name, path in offered.items() if path is not None}
        return dict(sorted((self._own_files() | found | self._loaded()).items()))

    def plugin_file(self, name: str) -> Path | None:
        """The file of a plugin's component; None of one that is not a plugin's."""
        own = name in self.added or name in self._own_files()
        return None if own else self.files().get(name)

    def _own_files(self) -> dict[str, Path]:
        folders = importlib.import_module(self.package).__path__
        paths = {
            path.stem: path
            for folder in folders
            for path in Path(folder).iterdir()
            if not path.name.startswith(("_", "."))
            and (path.suffix == ".py" or (path / "__init__.py").is_file())
        }
        return dict(sorted(paths.items()))

    def _offered(self) -> dict[str, str]:
        """Name -> module that an installed package offers.

        Raises:
            PluginError: lingopress has a component of that name.
        """
        found = plugins.offered(self.group) if self.group else {}
        return self._without_own(found, "an installed package")

    def _loaded(self) -> dict[str, Path]:
        """Name -> file that `--plugin` names.

        Raises:
            PluginError: lingopress has a component of that name.
        """
        found = plugins.loaded_with(self.marks) if self.group else {}
        return self._without_own(found, "--plugin")

    def _without_own(self, found: dict[str, Value], source: str) -> dict[str, Value]:
        for name in found and set(found) & set(self._own_files()):
            raise PluginError(
                f"{source} has a {self.kind} called {name!r}, as lingopress has; give it another "
                "name"
            )
        return found

    def names(self) -> tuple[str, ...]:
        """Names of the components, sorted. Imports none of them."""
        return tuple(sorted({*self._own_files(), *self._offered(), *self._loaded(), *self.added}))

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
            if (plugin := self._plugin(name)) is not None:
                return plugin
        return self._component(importlib.import_module(module))

    def _plugin(self, name: str) -> Component | None:
        """The component of a plugin; None where it is none."""
        if (file := self._loaded().get(name)) is not None:
            module, where = plugins.module_of(file), str(file)
        elif (where := self._offered().get(name, "")) == "":
            return None
        else:
            module = plugins.imported(where)
        if absent := [mark for mark in self.marks if not hasattr(module, mark)]:
            raise PluginError(f"{where} is no {self.kind}: it has no {', '.join(absent)}")
        component = self._component(module)
        if (said := getattr(component, "name", name)) != name:
            raise PluginError(
                f"{where}: its {self.kind} is called {said!r} there, and {name!r} here"
            )
        return component

    def _component(self, component: Any) -> Component:
        if self.attribute is not None:
            component = getattr(component, self.attribute)
        return component  # type: ignore[no-any-return]
