"""Bundles in the layout of transformers.js, and the page that runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from graph_bundles import card_of, table_bundle
from headless import Browser, chromium, served

import lingopress
from compress.errors import ExportError
from compress.export.demo import library
from compress.export.demo.build import build
from compress.export.demo.settings import settings_of
from compress.export.layouts import transformers_js
from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.machine import model_size
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.task import SPAN_ENDS
from recipes.cli.app import main

LABELS = ("rain", "sun", "snow")
TEXTS = ["It rains.", "Der Hund schläft, die Katze auch.", "雨が降っています。", "", "wort " * 90]
INSTALLED = os.environ.get("TRANSFORMERS_JS")  # where npm install was run
needs_library = pytest.mark.skipif(
    INSTALLED is None, reason="TRANSFORMERS_JS names no folder with @huggingface/transformers"
)


def arranged(out: Path, head: str | None, labels: tuple[str, ...] = ()) -> Path:
    from compress.export import bundle

    table_bundle(out, head, labels)
    card = transformers_js.arrange(out, card_of(head, labels))
    bundle.seal(out, card, "# Bundle\n")
    return out


@pytest.mark.parametrize(
    ("head", "labels", "kept"),
    [("pair", LABELS, ["logits"]), (None, (), ["last_hidden_state", "hidden_states.1"])],
)
def test_the_graph_is_in_one_file_with_the_outputs_that_are_read(
    tmp_path: Path, head: str | None, labels: tuple[str, ...], kept: list[str]
) -> None:
    plain = lingopress.open(table_bundle(tmp_path / "plain", head, labels))
    found = arranged(tmp_path / "arranged", head, labels)
    files = {p.relative_to(found).as_posix() for p in found.rglob("*") if p.is_file()}
    assert files == {
        "README.md", "SHA256SUMS", "bundle.json", "config.json", "onnx/model.onnx",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    graph = onnx.load(found / "onnx" / "model.onnx").graph
    assert [output.name for output in graph.output] == kept
    assert any(node.op_type == "Cast" for node in graph.node) is (head == "pair")  # or unread
    assert model_size.sizes(found)[0] > 32_000 * 4 * (len(labels) or 8)
    assert json.loads((found / "config.json").read_text())["transformers.js_config"] == {
        "dtype": "fp32"
    }
    if head is None:
        assert (lingopress.open(found).embed(TEXTS) == plain.embed(TEXTS)).all()
    else:
        assert lingopress.open(found).predict(TEXTS) == plain.predict(TEXTS)


def test_a_graph_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    found = arranged(tmp_path / "my b", "pair", LABELS)
    (found / "onnx" / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"onnx/model.onnx has 1 bytes") as caught:
        open_model(found)
    assert str(caught.value).endswith(f"cd '{found}' && sha256sum -c SHA256SUMS")


@pytest.mark.parametrize(
    ("precision", "file"),
    [("int8", "model_quantized"), ("int8-static", "model_quantized"), ("int4-weights", "model_q4")],
)
def test_files_have_the_names_of_their_types(tmp_path: Path, precision: str, file: str) -> None:
    table_bundle(tmp_path / "b", "pair", LABELS)
    card = transformers_js.arrange(tmp_path / "b", card_of("pair", LABELS, precision=precision))
    assert card.file == f"onnx/{file}.onnx"
    assert (tmp_path / "b" / card.file).is_file()


def test_a_graph_that_is_in_its_place_already_stays(tmp_path: Path) -> None:
    table_bundle(tmp_path / "b", "pair", LABELS)
    card = transformers_js.arrange(tmp_path / "b", card_of("pair", LABELS))
    again = transformers_js.arrange(tmp_path / "b", card)
    assert again.file == card.file == "onnx/model.onnx"
    assert (tmp_path / "b" / again.file).is_file()


def fake_library(folder: Path) -> Path:
    package, runtime = (folder / "node_modules" / n for n in (library.PACKAGE, library.RUNTIME))
    for parent, names in ((package, library._OF_PACKAGE), (runtime, library._OF_RUNTIME)):
        for name in names:
            (parent / name).parent.mkdir(parents=True, exist_ok=True)
            (parent / name).write_text(name)
    (package / "package.json").write_text("{}")
    return folder


def test_a_page_holds_the_bundle_and_the_library(tmp_path: Path) -> None:
    found = table_bundle(tmp_path / "topics", "pair", ("</script>", "b"))
    build(found, tmp_path / "page", library=fake_library(tmp_path / "app"))
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "<title>topics</title>" in page
    assert page.count("</script>") == 1  # a label does not end the script
    assert "//cdn" not in page and "https://" not in page
    assert (tmp_path / "page" / "model" / "onnx" / "model.onnx").is_file()
    assert {p.name for p in (tmp_path / "page" / "library").iterdir()} == {
        *library._OF_PACKAGE.values(), *library._OF_RUNTIME.values(),
    }  # fmt: skip
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "page" / "model", check=False
    )
    assert done.returncode == 0
    with pytest.raises(ExportError, match="not empty"):
        build(found, tmp_path / "page", library=tmp_path / "app")
    with pytest.raises(ExportError, match="inside the bundle"):
        build(found, found / "page", library=tmp_path / "app")
    with pytest.raises(ExportError, match=r"holds no node_modules/.*\nnpm install"):
        build(found, tmp_path / "other", library=tmp_path / "page")
    (tmp_path / "app" / "node_modules" / library.RUNTIME / "dist").rename(tmp_path / "gone")
    with pytest.raises(ExportError, match=r"asyncify.mjs cannot be read"):
        build(found, tmp_path / "other", library=tmp_path / "app")
    with pytest.raises(ExportError, match="is no bundle"):
        build(tmp_path / "app", tmp_path / "other", library=tmp_path / "app")


def test_a_page_that_was_interrupted_is_made_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(code: int) -> str:
        with pytest.raises(SystemExit) as end:
            main(["demo", "topics", "my page", "--library", "app"])
        assert end.value.code == code
        return "".join(capsys.readouterr())

    def names(folder: str) -> list[str]:
        return sorted(path.name for path in Path(folder).iterdir())

    def interrupt(_: Path) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    table_bundle(Path("topics"), "pair", ("a", "b"))
    fake_library(Path("app"))
    with monkeypatch.context() as patch:
        patch.setattr("compress.export.demo.build.settings_of", interrupt)
        assert command(130) == "\ninterrupted\n"
    assert names(".") == ["app", "topics"]
    assert "python -m http.server --directory 'my page'\n" in command(0)
    Path("there").mkdir()
    place = Path("there").stat()
    build(Path("topics"), Path("there"), library=Path("app"))  # an empty folder stays the same one
    assert os.path.samestat(place, Path("there").stat())
    assert names("there") == names("my page")
    assert names(".") == ["app", "my page", "there", "topics"]
    build(Path("topics"), Path("n" * 230), library=Path("app"))  # as long as a name may be
    assert names("n" * 230) == names("there")


def test_without_npm_the_message_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExportError, match=r"there is no npm here.*\nnpm install"):
        library.from_npm()


NODE = """
import * as library from "@huggingface/transformers";
import { readFileSync } from "node:fs";
const { answers, model, settings, rows } = JSON.parse(readFileSync(0));
const { open } = await import(answers);
library.env.allowRemoteModels = false;
library.env.localModelPath = "/";
const bundle = await open(library, model, settings, { device: "cpu" });
const words = (text) => text.split(/\\s+/).filter(Boolean);
const call = {
  pair: (text) => bundle.label(text),
  tagging: (text) => bundle.tags(words(text)),
  span: (text) => bundle.answer("Who?", text),
  encoder: async (text) => [...await bundle.embed(text)],
};
const found = [];
for (const row of rows) found.push(await call[settings.head ?? "encoder"](row));
console.log(JSON.stringify(found));
"""


@needs_library
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
@pytest.mark.parametrize(
    ("head", "labels"), [("pair", LABELS), ("tagging", LABELS), ("span", SPAN_ENDS), (None, ())]
)
def test_node_answers_as_python_does(
    tmp_path: Path, head: str | None, labels: tuple[str, ...]
) -> None:
    assert INSTALLED is not None
    found = arranged(tmp_path / "b", head, labels)
    given = {
        "answers": str(Path(library.__file__).with_name("answers.mjs")),
        "model": str(found), "settings": settings_of(found), "rows": TEXTS,
    }  # fmt: skip
    done = subprocess.run(
        ["node", "--input-type=module", "-e", NODE],
        cwd=INSTALLED, input=json.dumps(given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers = json.loads(done.stdout)
    model = lingopress.open(found)
    if head is None:
        assert answers == pytest.approx(model.embed(TEXTS), abs=1e-6)
        return
    if head == "span":  # JavaScript's tokenizer gives no places in the text
        right = [row["answer"] for row in model.predict([("Who?", text) for text in TEXTS])]
        assert ["".join(text.split()) for text in answers] == [
            "".join(text.split()) for text in right
        ]
        return
    expected = model.predict(TEXTS)
    said = [row["label"] for row in answers] if head == "pair" else answers
    assert said == [row["label" if head == "pair" else "tags"] for row in expected]


@needs_library
@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="no Chromium")
def test_the_page_answers_in_a_browser_and_asks_no_other_server(tmp_path: Path) -> None:
    assert INSTALLED is not None
    found = table_bundle(tmp_path / "b", "pair", LABELS)
    build(found, tmp_path / "page", library=Path(INSTALLED))
    with served(tmp_path / "page") as address, Browser() as browser:
        browser.open(address)
        browser.wait("document.querySelector('#time')?.textContent")
        for text, expected in zip(
            TEXTS[:3], lingopress.open(found).predict(TEXTS[:3]), strict=True
        ):
            row = browser.run(f"lingopress.bundle.label({json.dumps(text)})")
            assert row["label"] == expected["label"]
            assert row["scores"] == pytest.approx(expected["scores"], abs=1e-5)
        assert all(asked.startswith((address, f"blob:{address}")) for asked in browser.asked)
        assert not browser.said


def test_the_readme_makes_vectors_as_the_encoder_declares(tmp_path: Path) -> None:
    bundle = table_bundle(tmp_path / "b", None)
    (bundle / "1_Pooling").mkdir()
    (bundle / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    prompts = {"prompts": {"query": 'say "x": '}, "default_prompt_name": "query"}
    (bundle / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    card = transformers_js.arrange(bundle, replace(card_of(None), vectors=declared_by(bundle)))
    script = transformers_js.note(card)
    assert r'run("say \"x\": A man is reading.", { pooling: "cls", normalize: true })' in script
    plain = transformers_js.arrange(table_bundle(tmp_path / "p", None), card_of(None))
    text = 'run("A man is reading.", { pooling: "mean", normalize: true })'
    assert text in transformers_js.note(plain)
    assert "vectors" not in card.as_json()
