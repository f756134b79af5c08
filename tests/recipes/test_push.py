"""`lingopress push`: cold, cut off, and to a repository that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from evalsuite.hub.push import joined_cards
from recipes.cli.app import main
from tests.support.harmed import write_small
from tests.support.loopback_hub import TOKEN, LoopbackHub

# of the client, about its own transport
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
BUNDLE = "---\ntags: [onnxruntime, lingopress]\nlanguage: [sw]\n---\n# Bundle\n\nRun it so.\n"
CARD = "---\ntags: [multilingual, lingopress]\nlanguage: [en, sw]\n---\n# Scores\n\n90.\n"


@pytest.fixture
def model(hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with a README, a manifest, a second large file; an account that may push."""
    folder = write_small(tmp_path / "model")
    (folder / "README.md").write_text(BUNDLE)
    (folder / "lingopress.json").write_text("{}")
    (folder / "second.onnx").write_bytes(b"graph")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    Path("card.md").write_text(CARD)
    return folder


def push(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(["push", *args])
    captured = capsys.readouterr()
    code = left.value.code
    return (code if isinstance(code, int) else 0), captured.out + captured.err


@pytest.mark.slow
def test_cold_and_again(hub: LoopbackHub, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ("model", "org/mine", "--card", "card.md")
    code, said = push(capsys, *args, "--dry-run")
    assert code == 0 and not hub.asked
    assert "second.onnx" in said and "lingopress.json" not in said
    assert "to org/mine (private where it is new)" in said

    code, said = push(capsys, *args)
    assert code == 0, said
    repository = hub.repositories["model", "org/mine"]
    files = repository.commits[repository.branches["main"]]
    assert repository.private and repository.branches["main"] in said
    kept = {path.name for path in model.iterdir()} - {"lingopress.json"}
    assert set(files) == kept | {".gitattributes"}
    assert files["model.safetensors"] == (model / "model.safetensors").read_bytes()
    card = ModelCard(files["README.md"].decode())
    assert card.data.tags == ["onnxruntime", "lingopress", "multilingual"]
    assert card.data.language == ["en", "sw"] and "Run it so." in card.text and "90." in card.text

    commits, sent = dict(repository.commits), dict(hub.uploads.received)
    code, said = push(capsys, *args)
    assert code == 0 and repository.commits == commits and hub.uploads.received == sent, said
    (model / "second.onnx").write_bytes(b"another graph")
    repository.private = False
    code, said = push(capsys, *args)
    assert code == 0 and not repository.private  # a repository stays what it is
    assert sum(hub.uploads.received.values()) == 3
    assert set(repository.commits[repository.branches["main"]]) == set(files)


@pytest.mark.slow
def test_cut_off(hub: LoopbackHub, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.uploads.refuse_after = 1
    code, said = push(capsys, "model", "org/mine")
    assert code == 2 and "org/mine is not complete" in said and "Traceback" not in said, said
    assert "large files that arrived are not sent again" in said
    repository = hub.repositories["model", "org/mine"]
    assert set(repository.commits[repository.branches["main"]]) == {".gitattributes"}
    hub.uploads.refuse_after = None
    code, said = push(capsys, "model", "org/mine")
    assert code == 0 and set(hub.uploads.received.values()) == {1}, said


@pytest.mark.parametrize(
    ("repo", "token", "change", "said"),
    [
        ("org/mine", "", "", "log in (hf auth login) with a token that may write (role: write)"),
        ("other/theirs", TOKEN, "", "of an account that may write there"),
        ("other/theirs", TOKEN, "", "refuses access to the model other/theirs (HTTP 403)"),
        ("mine", TOKEN, "", "'mine' is not the name of a repository; write org/name"),
        ("org/mine", TOKEN, "pytorch_model.bin", "holds pickles (pytorch_model.bin)"),
        ("org/mine", TOKEN, "-config.json", "holds no model"),
    ],
)
def test_refused(
    hub: LoopbackHub,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    repo: str,
    token: str,
    change: str,
    said: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    if change.startswith("-"):
        (model / change[1:]).unlink()
    elif change:
        (model / change).write_bytes(b"")
    code, printed = push(capsys, "model", repo)
    assert code == 2 and said in printed and "Traceback" not in printed, printed
    assert not hub.uploads.received


def test_a_card_alone_stays_as_it_is() -> None:
    assert ModelCard(joined_cards("", CARD)).text.strip() == "# Scores\n\n90."


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("title: My model: the second", "line 2: mapping values are not allowed here"),
        ("a: 1\nlicense: [mit", "line 3: expected ',' or ']', but got '<stream end>'"),
        ("- mit", "repo card metadata block should be a dict"),
        ("tags: 3", "a value is of the wrong kind ('int' object is not iterable)"),
        ("tags: [{a: b}]", "a value is of the wrong kind (unhashable type: 'dict')"),
        ("eval_results: abc", ""),
    ],
)
def test_a_card_with_a_fault_in_its_front_matter_is_named(
    model: Path, capsys: pytest.CaptureFixture[str], front: str, said: str
) -> None:
    Path("bad.md").write_text(f"---\n{front}\n---\n# Scores\n")
    code, printed = push(capsys, "model", "org/mine", "--card", "bad.md", "--dry-run")
    assert code == 2 and f"error: the front matter of bad.md cannot be read: {said}" in printed
    assert "correct the lines between --- and ---" in printed
    Path("bad.md").replace(model / "README.md")
    code, printed = push(capsys, "model", "org/mine", "--card", "card.md", "--dry-run")
    assert code == 2 and f"the front matter of model/README.md cannot be read: {said}" in printed


def test_a_card_that_is_not_in_utf_8_is_named(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "README.md").write_bytes(b"# Gr\xf6\xdfe")
    code, printed = push(capsys, "model", "org/mine", "--dry-run")
    assert code == 2 and "error: model/README.md is not in UTF-8: " in printed
