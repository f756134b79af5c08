"""Models of the hub, by id.

>>> HubId.parse("FacebookAI/xlm-roberta-base@e73636d")
HubId(repo='FacebookAI/xlm-roberta-base', revision='e73636d')
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import OfflineError
from evalsuite.hub.intact import refuse_damaged
from evalsuite.hub.refusals import Asked

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

    def config_directory(self) -> Path | None:
        """Where its `config.json` is in the hub's own cache; None where it is not there."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repo, "config.json", revision=self.revision)
        return Path(found).parent if isinstance(found, str) else None

    def fetch_config(self) -> Path:
        """The same, downloaded alone where it is not there.

        Raises:
            OfflineError: it is not cached, and the hub does not answer.
            ModelError: the hub has no such model, or does not give it.
        """
        from huggingface_hub import hf_hub_download

        if (found := self.config_directory()) is not None:
            return found
        try:
            return Path(hf_hub_download(self.repo, "config.json", revision=self.revision)).parent
        except Exception as error:  # a dozen types of two libraries
            raise Asked(self.repo, "model", self.revision).problem(error) from error

    def download(self) -> Path:
        """The local directory, downloaded into the hub's own cache.

        Raises:
            OfflineError: it is not cached, and the hub does not answer, or not to the end.
            ModelError: the hub has no such model, does not give it, or it came damaged.
        """
        from huggingface_hub import snapshot_download

        asked, began = Asked(self.repo, "model", self.revision), time.time()
        try:
            found = snapshot_download(
                self.repo,
                revision=self.revision,
                allow_patterns=_WANTED,
                ignore_patterns=_UNWANTED,
            )
        except Exception as error:  # a dozen types of two libraries
            problem = asked.problem(error)
            if not isinstance(problem, OfflineError):
                raise problem from error
            raise OfflineError(
                f"{problem}\n"
                f"or copy it from a machine that has it (hf download {self.repo}), and name the "
                "directory in the recipe: model: ./directory"
            ) from error
        refuse_damaged(asked, began)
        return Path(found)
