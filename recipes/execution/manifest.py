"""`lingopress.json`: what a stage did and the files it made, with their digests.

>>> damage(Path(".lingopress/stages/train-5feceb66ffc86f38d952"), memo.file)
'model.safetensors is not what the stage wrote'

Each file's size and SHA-256 are written when the stage is published, and a digest of the record
itself. Manifests of lingopress 0.1 have no digest of the record; all else is checked in them too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from evalsuite.results.run import MANIFEST, StageRecord
from recipes.hashing import sha256_json

FORMAT = 1  # of the manifest and of what surrounds it; another one is a miss


class FileEntry(BaseModel):
    """One file of an output."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    bytes: NonNegativeInt
    sha256: str


class Manifest(BaseModel):
    """What a stage did, and the files it made."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    format: int
    record: StageRecord
    files: dict[str, FileEntry]
    sha256: str = ""  # of all the rest; empty where lingopress 0.1 wrote it

    def digest(self) -> str:
        """SHA-256 of all but `sha256`; of a manifest that was read, of what the file has.

        So fields that later versions add do not change it.
        """
        return sha256_json(self.model_dump(mode="json", exclude={"sha256"}, exclude_unset=True))

    def sealed(self) -> Manifest:
        """The same with its digest, and with every field as it is written."""
        whole = Manifest.model_validate_json(self.model_dump_json())
        return whole.model_copy(update={"sha256": whole.digest()})


def read_manifest(path: Path) -> Manifest | None:
    """The manifest of a published directory; None where it is absent, corrupt or older."""
    try:
        found = Manifest.model_validate_json((path / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.format == FORMAT else None


def damage(path: Path, digest_file: Callable[[Path], str]) -> str:
    """What is wrong with a published directory; empty where it is as its stage wrote it.

    Files that were added do not count, except JSON files: results and configurations are read by
    their names.

    Args:
        digest_file: gives the SHA-256 of a file; asked only for files that have the right size.
    """
    manifest = read_manifest(path)
    if manifest is None:
        return f"{MANIFEST} is missing, is not readable, or is of another version of lingopress"
    if manifest.sha256 and manifest.sha256 != manifest.digest():
        return f"{MANIFEST} is not what the stage wrote"
    for name, entry in manifest.files.items():
        try:
            size = (path / name).stat().st_size
            if size != entry.bytes:
                return f"{name} has {size:,} bytes, not the {entry.bytes:,} the stage wrote"
            if digest_file(path / name) != entry.sha256:
                return f"{name} is not what the stage wrote"
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror or error}"
    added = {found.name for found in path.glob("*.json")} - manifest.files.keys() - {MANIFEST}
    return f"{min(added)} was added" if added else ""
