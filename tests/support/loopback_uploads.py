"""The routes of the loopback hub that take files: create, preupload, LFS batch, upload, commit."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.loopback_tree import LARGE, git_id


@dataclass
class Uploads:
    """What was sent, and what goes wrong.

    Attributes:
        objects: large files by their SHA-256, of all repositories.
        received: SHA-256 -> times its content came.
        refuse_after: connections are closed once this number of large files came; None: never.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    refuse_after: int | None = None

    def put(self, digest: str, content: bytes) -> bool:
        """Take a large file; False where the connection breaks."""
        if self.refuse_after is not None and len(self.objects) >= self.refuse_after:
            return False
        assert hashlib.sha256(content).hexdigest() == digest
        self.objects[digest] = content
        self.received[digest] += 1
        return True

    def batch(self, asked: Any, url: str) -> dict[str, Any]:
        """Where to send which object; nothing for those that are here."""
        found = []
        for one in asked["objects"]:
            answer = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.objects:
                answer["actions"] = {"upload": {"href": f"{url}/upload/{one['oid']}"}}
            found.append(answer)
        return {"transfer": "basic", "objects": found}

    def commit(self, files: dict[str, bytes], body: bytes) -> dict[str, bytes]:
        """The tree after a commit in the form of one JSON object per line."""
        files = dict(files)
        for line in body.decode().splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.objects[value["oid"]]
        return files


def upload_modes(files: dict[str, bytes], asked: Any) -> dict[str, Any]:
    """How each file is to be sent, and the id of the one that is here."""
    modes = []
    for path in (file["path"] for file in asked["files"]):
        content, large = files.get(path), path.endswith(LARGE)
        oid = None
        if content is not None:
            oid = hashlib.sha256(content).hexdigest() if large else git_id(content)
        mode = "lfs" if large else "regular"
        modes.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return {"files": modes}


def read_chunks(stream: Any) -> bytes:
    """A body that is sent in chunks, each after a line with its size."""
    found = b""
    while size := int(stream.readline(), 16):
        found += stream.read(size)
        stream.readline()
    stream.readline()
    return found
