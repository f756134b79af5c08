"""Models of the hub, by id.

>>> HubId.parse("FacebookAI/xlm-roberta-base@e73636d")
HubId(repo='FacebookAI/xlm-roberta-base', revision='e73636d')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import ModelError, OfflineError

_ID = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?")
_WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]  # no code
_UNWANTED = ["onnx/*", "openvino/*", "*/*.safetensors"]


@dataclass(frozen=True, slots=True)
class HubId:
    """A repository of the hub, and the revision of it: a branch, a tag or a commit."""

    repo: str
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubId | None:
        """The id that a text is, or None."""
        match = _ID.fullmatch(text)
        return cls(match["repo"], match["revision"]) if match else None

    def download(self) -> Path:
        """The local directory, downloaded into the hub's own cache.

        Raises:
            OfflineError: it is not cached and the hub cannot be reached.
            ModelError: the hub has no such model.
        """
        from huggingface_hub import errors, snapshot_download

        text = f"{self.repo}@{self.revision}" if self.revision else self.repo
        try:
            found = snapshot_download(
                self.repo,
                revision=self.revision,
                allow_patterns=_WANTED,
                ignore_patterns=_UNWANTED,
            )
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            raise ModelError(f"the hub has no model {text}, or it is not public") from error
        except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
            raise OfflineError(
                f"{text} is not on this machine and the hub cannot be reached\n"
                f"download it where there is a network: hf download {self.repo}\n"
                "and name its directory in the recipe: model: ./directory"
            ) from error
        return Path(found)
