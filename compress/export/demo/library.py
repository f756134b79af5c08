"""The files of transformers.js that a page needs: from a folder where npm put it, or from npm.

>>> files = from_folder(Path("my-app"))
>>> sorted(files)
['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm', ...]

Nothing is unpacked: of the packages' archives only the files named here are read. No script of a
package runs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from compress.errors import ExportError

PACKAGE = "@huggingface/transformers"
VERSION = "4.3.2"  # the one that the tests run
RUNTIME = "onnxruntime-web"
SCRIPT = "transformers.min.js"
_LICENCE = "LICENSE"
# Place in the package -> name in the page's folder.
_OF_PACKAGE = {f"dist/{SCRIPT}": SCRIPT, _LICENCE: "LICENSE.transformers.txt"}
_OF_RUNTIME = {
    f"dist/ort-wasm-simd-threaded.asyncify.{kind}": f"ort-wasm-simd-threaded.asyncify.{kind}"
    for kind in ("mjs", "wasm")
}
_TYPE = (
    f"npm install --ignore-scripts {PACKAGE}@{VERSION}\n"
    "in any folder, and name that folder: --library FOLDER"
)


def from_folder(folder: Path) -> dict[str, bytes]:
    """The files, from the folder where `npm install` was run, or its `node_modules`.

    Raises:
        ExportError: it does not hold the packages.
    """
    for modules in (folder / "node_modules", folder):
        if (modules / PACKAGE / "package.json").is_file():
            break
    else:
        raise ExportError(f"{folder} holds no node_modules/{PACKAGE}; type\n{_TYPE}")
    runtime = modules / PACKAGE / "node_modules" / RUNTIME
    runtime = runtime if runtime.is_dir() else modules / RUNTIME
    return _read(modules / PACKAGE, _OF_PACKAGE) | _read(runtime, _OF_RUNTIME)


def _read(package: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    try:
        return {name: (package / place).read_bytes() for place, name in names.items()}
    except OSError as error:
        raise ExportError(
            f"{error.filename} cannot be read ({error.strerror}); the page was made for "
            f"{PACKAGE} {VERSION}; type\n{_TYPE}"
        ) from None


def from_npm() -> dict[str, bytes]:
    """The files, from archives that `npm pack` fetches.

    Raises:
        ExportError: there is no npm, or it fetches nothing.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ExportError(
            "the page needs transformers.js, which npm fetches, and there is no npm here; install "
            f"Node.js, or on another machine type\n{_TYPE}"
        )
    with tempfile.TemporaryDirectory() as folder:
        archive = _packed(npm, f"{PACKAGE}@{VERSION}", Path(folder))
        about = json.loads(_members(archive, {"package.json": "about"})["about"])
        runtime = _packed(npm, f"{RUNTIME}@{about['dependencies'][RUNTIME]}", Path(folder))
        return _members(archive, _OF_PACKAGE) | _members(runtime, _OF_RUNTIME)


def _packed(npm: str, package: str, folder: Path) -> Path:
    before = set(folder.iterdir())
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(
        [*command, package], cwd=folder, capture_output=True, text=True, check=False
    )
    new = set(folder.iterdir()) - before
    if done.returncode or len(new) != 1:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise ExportError(f"npm pack {package} fetched nothing:\n{said}\nwithout npm: {_TYPE}")
    return new.pop()


def _members(archive: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    with tarfile.open(archive) as package:
        for place, name in names.items():
            try:
                member = package.extractfile(f"package/{place}")
            except KeyError:
                member = None
            if member is None:
                raise ExportError(f"{archive.name} has no {place}; the page was made for {VERSION}")
            found[name] = member.read()
    return found
