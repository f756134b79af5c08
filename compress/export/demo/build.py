"""Write a page that runs a bundle in a browser.

>>> build(Path("int8"), Path("page"), library=None)
>>> sorted(path.name for path in Path("page").iterdir())
['answers.mjs', 'index.html', 'library', 'model']

The page asks no other server for anything. Browsers open no modules from a file, so it has to come
from a server: any that serves files.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from compress.errors import ExportError
from compress.export import bundle as bundles
from compress.export.bundle import BundleCard
from compress.export.demo import library as libraries
from compress.export.demo.settings import settings_of
from compress.export.layouts import transformers_js
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.open_model import BUNDLE_FILE
from evalsuite.results.run import MANIFEST
from evalsuite.runtimes._bundle import check_files, read_card

_HERE = Path(__file__).parent


def build(bundle: Path, out: Path, *, library: Path | None, title: str = "") -> None:
    """Write the page, the bundle and the library to `out`, whole or not at all.

    Args:
        library: folder where npm installed transformers.js; None: npm fetches it.
        title: heading of the page; default the name of the bundle's folder.

    Raises:
        ExportError: the bundle runs in no browser, `out` holds something, or there is no library.
        ModelError: it is no bundle, or incomplete.
    """
    card = _card(bundle)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is there already and not empty; name a new folder")
    if out.resolve().is_relative_to(bundle.resolve()):
        raise ExportError(f"{out} is inside the bundle; name a folder outside it")
    files = libraries.from_npm() if library is None else libraries.from_folder(library)
    place = out.resolve()
    there = place.exists()  # empty; a shell may stand in it, or a disk be mounted there
    part = (place if there else place.parent) / f".page-{uuid.uuid4().hex}"
    try:
        _fill(part, bundle, card, files, title or bundle.resolve().name)
        if there:
            for path in part.iterdir():
                path.rename(place / path.name)
        else:
            part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(
    out: Path, bundle: Path, card: dict[str, Any], files: Mapping[str, bytes], title: str
) -> None:
    out.mkdir(parents=True)
    copy_bundle(bundle, out / "model", card)
    (out / "library").mkdir()
    for name, content in files.items():
        (out / "library" / name).write_bytes(content)
    shutil.copyfile(_HERE / "answers.mjs", out / "answers.mjs")
    shown = settings_of(out / "model") | {"title": title}
    page = (_HERE / "page.html").read_text(encoding="utf-8")
    page = page.replace("{{title}}", escape(shown["title"]))
    page = page.replace(
        '"{{settings}}"', json.dumps(shown, ensure_ascii=False).replace("<", "\\u003c")
    )
    (out / "index.html").write_text(page, encoding="utf-8")


def _card(bundle: Path) -> dict[str, Any]:
    card = read_card(bundle)
    if card is None:
        raise ExportError(f"{bundle} is no bundle: it has no {BUNDLE_FILE}; make one with export")
    check_files(bundle, card)
    config = model_config(bundle)
    head = head_of(config) if card["labels"] else None
    if why := transformers_js.refusal(card["runtime"], head, config["model_type"]):
        raise ExportError(f"{bundle} runs in no browser: {why}")
    return card


def copy_bundle(bundle: Path, out: Path, card: dict[str, Any]) -> None:
    """Copy a bundle in the layout of transformers.js, with the digests of what is there then."""
    shutil.copytree(bundle, out, ignore=shutil.ignore_patterns(MANIFEST))
    if card.get("layout") == transformers_js.NAME:
        return
    known = {name: card[name] for name in BundleCard.__dataclass_fields__ if name in card}
    arranged = transformers_js.arrange(out, BundleCard(**{"head": None} | known))
    readme = out / bundles.README
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    bundles.seal(out, arranged, text)
