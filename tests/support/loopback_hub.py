"""A hub on the loopback, for real clients of `huggingface_hub` and `datasets`.

>>> hub = LoopbackHub()
>>> commit = hub.add("model", "org/name", {"config.json": b"{}"})
>>> snapshot_download("org/name")        # after `hub.serve(monkeypatch, tmp_path)`

Routes and headers are those that `huggingface_hub` 2.4 and `datasets` 5.2 ask for and read: info,
tree (in pages), paths-info, refs, and `resolve`, which answers small files itself and sends large
ones (`LARGE`, as a `.gitattributes` of the hub lists them) to another host name, where they are
read in ranges. What the hub refuses, it says in `X-Error-Code`.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from tests.support.loopback_tree import LARGE, Repository, git_id, tree
from tests.support.loopback_uploads import Uploads, read_chunks, upload_modes

Kind = Literal["model", "dataset"]
PAGE = 50  # entries of a tree per answer
TOKEN = "hf_loopback"


class LoopbackHub:
    """Repositories, and what goes wrong.

    Attributes:
        cuts: path -> bytes after which the connection is closed, once each.
        always_cut: the same, every time.
        status: every request is answered so, where it is set (429, 503).
        damaged: path -> other content of the same size, which is sent in its place.
        asked: all requests, as `GET /api/models/org/name`.
        sent: path -> bytes of its content sent so far.
        uploads: large files that were sent here.
        elsewhere: hosts that were asked for, and are not the loopback.
    """

    def __init__(self) -> None:
        self.repositories: dict[tuple[Kind, str], Repository] = {}
        self.cuts: dict[str, list[int]] = {}
        self.always_cut: dict[str, int] = {}
        self.damaged: dict[str, bytes] = {}
        self.status: int | None = None
        self.asked: list[str] = []
        self.sent: Counter[str] = Counter()
        self.elsewhere: list[str] = []
        self.uploads = Uploads()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.hub = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(
        self,
        kind: Kind,
        name: str,
        files: dict[str, bytes],
        commit: str | None = None,
        branch: str = "main",
    ) -> str:
        """Commit a whole tree to a branch; returns the commit's id."""
        if commit is None:
            commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        repository = self.repositories.setdefault((kind, name), Repository())
        repository.commits[commit] = dict(files)
        repository.branches[branch] = commit
        return commit

    def serve(self, patch: pytest.MonkeyPatch, home: Path, *, offline: bool = False) -> None:
        """Make this the hub of this process, with empty caches under `home`."""
        import datasets
        from huggingface_hub import constants

        patch.setattr(constants, "ENDPOINT", self.url)
        template = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        patch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
        patch.setattr(constants, "HF_HUB_OFFLINE", offline)
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # it has no such storage
        patch.setattr(datasets.config, "HF_ENDPOINT", self.url)
        patch.setattr(
            datasets.config,
            "HUB_DATASETS_URL",
            self.url + "/datasets/{repo_id}/resolve/{revision}/{path}",
        )
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
        patch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", home / "datasets" / "downloads")
        patch.setattr(datasets.config, "HF_HUB_OFFLINE", offline)
        patch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", False)  # asks a real host
        patch.delenv("HF_TOKEN", raising=False)
        resolve = socket.getaddrinfo

        def only_here(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host not in ("127.0.0.1", "localhost"):
                self.elsewhere.append(str(host))
                raise OSError(f"{host} is not the loopback")
            return resolve(host, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", only_here)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> LoopbackHub:
        found: LoopbackHub = self.server.hub  # type: ignore[attr-defined]
        return found

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            self._answer(read_chunks(self.rfile))
        else:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes = b"") -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.status is not None:
            headers = {"ratelimit": '"api";r=0;t=1'} if self.hub.status == 429 else {}
            return self._send(self.hub.status, b"", headers)
        parts = urlsplit(self.path)
        if match := re.fullmatch(r"/large/(\w+)/(.+)", parts.path):
            return self._large(match[1], unquote(match[2]))
        if self.command != "HEAD" and self._taken(parts.path, body):
            return None
        if match := re.fullmatch(r"/api/(model|dataset)s/([^/]+/[^/]+)(/.+)?", parts.path):
            return self._api(match[1], match[2], match[3] or "", parse_qs(parts.query), body)  # type: ignore[arg-type]
        form = r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)"
        if match := re.fullmatch(form, parts.path):
            kind: Kind = "dataset" if match[1] else "model"
            return self._resolve(kind, match[2], unquote(match[3]), unquote(match[4]))
        return self._refuse(404, "")

    def _repository(self, kind: Kind, name: str, revision: str, files: bool) -> Any:
        """The repository and the commit; None where it was refused."""
        repository = self.hub.repositories.get((kind, name))
        member = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.private and not member):
            # nobody may learn what is private: without an account both are 401
            status = 404 if member else 401
            return self._refuse(status, "RepoNotFound", "Repository not found")
        if repository.gated and files:
            status = 403 if self.headers.get("Authorization") else 401
            return self._refuse(status, "GatedRepo", f"Access to {kind} {name} is restricted.")
        commit = repository.commit_of(revision)
        if commit is None:
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit

    def _api(
        self, kind: Kind, name: str, rest: str, query: dict[str, list[str]], body: bytes
    ) -> None:
        route, _, tail = rest.removeprefix("/").partition("/")
        revision, _, below = tail.partition("/")
        files_too = route == "auth-check"
        found = self._repository(kind, name, unquote(revision) or "main", files=files_too)
        if found is None:
            return None
        repository, commit = found
        files = repository.commits[commit]
        if route in ("", "revision"):
            siblings = [{"rfilename": path} for path in files]
            return self._json(
                {"id": name, "sha": commit, "private": repository.private, "gated": False}
                | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0}
            )
        if route == "auth-check":
            return self._json({})
        if route == "tree":
            deep = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            entries = tree(files, unquote(below), deep)
            if below and not entries:
                return self._refuse(404, "EntryNotFound", f"{below} does not exist", commit)
            return self._page(entries, int(query.get("cursor", ["0"])[0]))
        if route == "paths-info":
            asked = parse_qs(body.decode())["paths"]
            return self._json([e for e in tree(files, "", True) if e["path"] in asked])
        return self._refuse(404, "")

    def _taken(self, path: str, body: bytes) -> bool:
        """Answer what a client sends; whether it was that."""
        uploads = self.hub.uploads
        if match := re.fullmatch(r"/upload/(\w+)", path):
            if uploads.put(match[1], body):
                self._send(200, b"", {})
            else:
                self.close_connection = True
            return True
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif re.fullmatch(r"/[^/]+/[^/]+\.git/info/lfs/objects/batch", path):
            self._json(uploads.batch(json.loads(body), self.hub.url))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path):
            self._commit(match[1], body, preupload=match[2] == "preupload")
        else:
            return False
        return True

    def _create(self, asked: Any) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(401, "", "Invalid username or password.")
        if asked["organization"] != "org":
            return self._refuse(403, "", "You don't have the rights to create a model there")
        name = f"{asked['organization']}/{asked['name']}"
        body = {"url": f"{self.hub.url}/{name}"}
        if ("model", name) in self.hub.repositories:
            return self._send(409, json.dumps(body).encode(), {})
        self.hub.add("model", name, {".gitattributes": b""})
        self.hub.repositories["model", name].private = asked.get("visibility") == "private"
        return self._json(body)

    def _commit(self, name: str, body: bytes, preupload: bool) -> None:
        found = self._repository("model", name, "main", files=True)
        if found is None:
            return None
        repository, commit = found
        if preupload:
            return self._json(upload_modes(repository.commits[commit], json.loads(body)))
        files = self.hub.uploads.commit(repository.commits[commit], body)
        new = self.hub.add("model", name, files)
        return self._json({"commitUrl": f"{self.hub.url}/{name}/commit/{new}", "commitOid": new})

    def _page(self, entries: list[dict[str, Any]], start: int) -> None:
        parts = urlsplit(self.path)
        more = {}
        if start + PAGE < len(entries):
            query = "&".join(
                f"{key}={quote(values[0])}"
                for key, values in parse_qs(parts.query).items()
                if key != "cursor"
            )
            url = f"{self.hub.url}{parts.path}?{query}&cursor={start + PAGE}"
            more["Link"] = f'<{url}>; rel="next"'
        self._json(entries[start : start + PAGE], more)

    def _resolve(self, kind: Kind, name: str, revision: str, path: str) -> None:
        found = self._repository(kind, name, revision, files=True)
        if found is None:
            return None
        repository, commit = found
        content = repository.commits[commit].get(path)
        if content is None:
            return self._refuse(404, "EntryNotFound", "Entry not found", commit)
        if not path.endswith(LARGE):
            headers = {"X-Repo-Commit": commit, "ETag": f'"{git_id(content)}"'}
            return self._content(path, content, headers)
        digest = hashlib.sha256(content).hexdigest()
        place = f"http://localhost:{self.hub.port}/large/{digest}/{quote(path)}"
        headers = {"Location": place, "X-Linked-Etag": f'"{digest}"'}
        headers |= {"X-Linked-Size": str(len(content)), "X-Repo-Commit": commit}
        return self._send(302, b"", headers)

    def _large(self, digest: str, path: str) -> None:
        for repository in self.hub.repositories.values():
            for files in repository.commits.values():
                content = files.get(path)
                if content is not None and hashlib.sha256(content).hexdigest() == digest:
                    return self._content(path, content, {"ETag": f'"{digest}"'})
        return self._refuse(404, "")

    def _content(self, path: str, content: bytes, headers: dict[str, str]) -> None:
        """A file or a range of it; the connection is closed where it is to be cut."""
        content = self.hub.damaged.get(path, content)
        status, start = 200, 0
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            status, start = 206, int(match[1])
            stop = int(match[2]) + 1 if match[2] else len(content)
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            content = content[start:stop]
        length = len(content)
        if self.command == "GET":
            if path in self.hub.always_cut:
                content = content[: self.hub.always_cut[path]]
            elif self.hub.cuts.get(path):
                content = content[: self.hub.cuts[path].pop(0)]
            self.hub.sent[path] += len(content)
        self._send(status, content, headers, length)
        self.close_connection = self.close_connection or len(content) < length

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._send(200, json.dumps(value).encode(), kind | (headers or {}))

    def _refuse(self, status: int, code: str, message: str = "", commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        given = {key: value for key, value in headers.items() if value}
        self._send(status, json.dumps({"error": message}).encode(), given)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
