"""Put a model on the Hugging Face hub: what goes up, its card, and one commit.

>>> files = uploads(Path("runs/demo/int8"), card=None)
>>> push(files, "org/name", public=False)
'https://.../org/name/commit/1f0c...'

Large files go up before the commit. Those the hub has already are not sent again, so a push that
was cut off goes on with the file it stopped at, and nothing of it is seen before all files are
there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import yaml

from evalsuite.errors import ModelError, OfflineError
from evalsuite.files_below import files_below
from evalsuite.hub.refusals import Asked
from evalsuite.inference.open_model import is_pickle
from evalsuite.opening.hub import HubId
from evalsuite.opening.validated import ADAPTER_FILE, adapter_config
from evalsuite.results.run import MANIFEST

CARD = "README.md"
SUMS = "SHA256SUMS"  # of a bundle


@dataclass(frozen=True, slots=True)
class Upload:
    """A file: its path in the repository, and where its content is."""

    path: str
    content: Path | bytes

    @property
    def bytes(self) -> int:
        """Its size."""
        content = self.content
        return len(content) if isinstance(content, bytes) else content.stat().st_size


def uploads(
    directory: Path, card: str | None, base: str | None = None, card_name: str = "the card to add"
) -> list[Upload]:
    """The files of a model directory, sorted; the manifest and hidden files stay here.

    Args:
        card: a model card; its front matter and text join those of the directory's README.md. The
            digest of that file in a bundle's SHA256SUMS follows.
        base: of an adapter, org/name of its base; written into its configuration and card.
        card_name: what messages call the card.

    Raises:
        ModelError: there is no model in it, or it has pickled weights; the base of an adapter is a
            directory of this machine; a card cannot be read.
    """
    files = [
        path
        for path in sorted(files_below(directory))
        if path.name != MANIFEST
        and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    ]
    names = {path.relative_to(directory).as_posix() for path in files}
    if not names & {"config.json", "adapter_config.json"}:
        raise ModelError(
            f"{directory} holds no model: it has neither config.json nor adapter_config.json"
        )
    if pickles := [p.relative_to(directory).as_posix() for p in files if is_pickle(p)]:
        raise ModelError(
            f"{directory} holds pickles ({', '.join(pickles)}), which run code when they are "
            "opened; remove them"
        )
    found = {
        path.relative_to(directory).as_posix(): Upload(path.relative_to(directory).as_posix(), path)
        for path in files
    }
    cards = [_text(directory / CARD) if CARD in found else ""]
    cards += [] if card is None else [card]
    if ADAPTER_FILE in found:
        config = _with_base(directory, base)
        found[ADAPTER_FILE] = Upload(ADAPTER_FILE, json.dumps(config, indent=2).encode())
        cards.append(f"---\nbase_model: {config['base_model_name_or_path']}\n---\n")
    elif base is not None:
        raise ModelError(f"{directory} is no adapter, so it has no base; leave out --base")
    if cards[1:]:
        joined = partial(joined_cards, names=(str(directory / CARD), card_name))
        content = reduce(joined, cards).encode()
        found[CARD] = Upload(CARD, content)
        if SUMS in found:
            found[SUMS] = Upload(SUMS, _with_digest(directory / SUMS, CARD, content))
    return [found[name] for name in sorted(found)]


def _with_base(directory: Path, base: str | None) -> dict[str, Any]:
    """The configuration of an adapter, with a base that others can open."""
    config = adapter_config(directory)
    if base is not None:
        return config | {"base_model_name_or_path": named(base)}
    text = config["base_model_name_or_path"]
    if HubId.parse(text) is None or Path(text).exists():
        raise ModelError(
            f"the base of the adapter {directory} is {text}, which is on this machine alone\n"
            "push the base, and name where it is: --base org/name"
        )
    return config


def _with_digest(sums: Path, name: str, content: bytes) -> bytes:
    """A list of digests, with the digest of one file's new content."""
    digest = hashlib.sha256(content).hexdigest()
    lines = [line for line in sums.read_text("utf-8").splitlines() if line[66:] != name]
    return "".join(f"{line}\n" for line in [*lines, f"{digest}  {name}"]).encode()


def joined_cards(
    first: str, second: str, names: tuple[str, str] = (CARD, "the card to add")
) -> str:
    """One card of two: both texts, and the front matter of both, where the second is preferred.

    Args:
        names: what messages call the two.

    Raises:
        ModelError: the front matter of one cannot be read.
    """
    from huggingface_hub import ModelCardData

    cards = [_parsed(text, name) for text, name in zip((first, second), names, strict=True)]
    fronts = [front for front, _ in cards]
    data = fronts[0] | fronts[1]
    if tags := dict.fromkeys(tag for one in fronts for tag in one.get("tags", [])):
        data["tags"] = list(tags)
    front: str = ModelCardData(**data, ignore_metadata_errors=True).to_yaml()
    texts = "\n\n".join(text for _, text in cards if text)
    return f"---\n{front.strip()}\n---\n{texts}\n"


def _text(card: Path) -> str:
    try:
        return card.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{card} is not in UTF-8: {error}; save it in UTF-8") from error


def _parsed(text: str, name: str) -> tuple[dict[str, Any], str]:
    """The front matter of a card, and the text after it."""
    from huggingface_hub import ModelCard

    try:
        card: Any = ModelCard(text, ignore_metadata_errors=True)
        front: dict[str, Any] = card.data.to_dict()
        dict.fromkeys(front.get("tags", []))
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"the front matter of {name} cannot be read: {_problem(error)}\n"
            "correct the lines between --- and --- at its beginning"
        ) from error
    return front, card.text.strip()


def _problem(error: Exception) -> str:
    """The line of a card that is wrong, where that is known, and why."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 2}: {error.problem}"  # after the first ---
    said = str(error).partition("\n")[0]
    kind = isinstance(error, (TypeError, AttributeError))
    return f"a value is of the wrong kind ({said})" if kind else said


def push(files: Sequence[Upload], repo: str, *, public: bool) -> str:
    """Make the repository where there is none, send what it lacks, commit; returns the page.

    Raises:
        ModelError: this account may not write there, or the name is none.
        OfflineError: the hub does not answer, or not to the end.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    asked = Asked(named(repo), "model", writing=True)
    operations = [
        CommitOperationAdd(
            file.path, file.content if isinstance(file.content, bytes) else str(file.content)
        )
        for file in files
    ]
    try:
        api = HfApi()
        api.create_repo(repo, private=not public, exist_ok=True)
        done = api.create_commit(repo, operations, commit_message="Model pushed by lingopress")
    except Exception as error:  # a dozen types of two libraries
        problem = asked.problem(error)
        if isinstance(problem, OfflineError):
            raise OfflineError(
                f"{repo} is not complete: {problem}\nlarge files that arrived are not sent again"
            ) from error
        raise problem from error
    return str(done.commit_url)


def named(repo: str) -> str:
    """The name of a repository.

    Raises:
        ModelError: it is none.
    """
    found = HubId.parse(repo)
    if found is None or found.revision is not None:
        raise ModelError(f"{repo!r} is not the name of a repository; write org/name")
    return repo
