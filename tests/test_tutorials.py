"""Commands and recipes of docs/tutorials run, in their order, with a tiny encoder and few steps."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tiny_xtreme import tiny_xtreme
from tutorials import ROOT, Page, Walk, measure_here

pytestmark = pytest.mark.tutorial
DOCS = ROOT / "docs"
READING = ("run", "plan", "check")
Follow = Callable[[str, Walk], dict[str, str]]
TOPICS = {
    "science/technology": 175, "travel": 140, "politics": 105, "sports": 84, "health": 77,
    "entertainment": 63, "geography": 57,
}  # fmt: skip
LINES = {"en": "It rains in town {}.", "de": "Es regnet in Stadt {}.", "hi": "शहर {} में बारिश है।"}
FEW_ROWS = {"scores__max_examples": 4, "scores__languages": "[de]"}
XTREME = "--data-dir path/to/xtreme"
ENCODER = "./xlm-roberta-base"
INSTALLS = "packages are installed once, for all tests"


def text_in(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for code, line in LINES.items():
        text = "\n".join(line.format(n) for n in range(20))
        (folder / f"{code}.txt").write_text(text, encoding="utf-8")
    (folder / "lines.txt").write_text("It rains.\nThe match was won.\n")


def messages() -> None:
    """701 rows with the shares of labels that the tutorial prints, and text."""
    about = "This is the sentence {} of those about {},{}"
    rows = [about.format(n, of, of) for of, count in TOPICS.items() for n in range(count)]
    Path("messages.csv").write_text("\n".join(["text,category", *rows]))
    text_in(Path())


def classifier() -> None:
    """A classifier with two labels, text in three languages, and labelled rows."""
    from checkpoints import small
    from made_once import made_once

    labels = ("sports", "weather")
    shutil.copytree(made_once("topics", lambda out: small(out, "pair", labels)), "my-classifier")
    text_in(Path())
    text_in(Path("texts"))
    Path("texts/lines.txt").unlink()
    rows = [f"{LINES['en'].format(n)},{labels[n % 2]}" for n in range(12)]
    Path("test.csv").write_text("\n".join(["text,label", *rows]))


def xtreme() -> None:
    """A few rows of each task that the shipped recipes name, and parallel text."""
    tiny_xtreme(Path(XTREME.split()[1]))


@pytest.fixture
def follow(
    traces: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Follow:
    """A function that types a page's commands in an empty folder; what each printed."""
    from checkpoints import small
    from made_once import made_once

    from evalsuite.own.declared import declare
    from recipes.cli.app import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINGOPRESS_WORKSPACE", raising=False)
    measure_here(monkeypatch)

    def here(text: str) -> str:
        text = text.replace("package:recipes/models/e5-mini", "./xlm-roberta-base")
        text = text.replace("FacebookAI/xlm-roberta", "./xlm-roberta")
        return text.replace("/shared/", f"{tmp_path}/")

    def type_it(line: str) -> str:
        declare({})  # where a person types it, each command is a new process
        with pytest.raises(SystemExit) as end:
            main(shlex.split(here(line))[1:])
        shown = capsys.readouterr()
        assert not end.value.code, f"{line}\n{shown.out}{shown.err}"
        return shown.out + shown.err

    def run(name: str, walk: Walk) -> dict[str, str]:
        page = Page(DOCS / name)
        n = walk.layers
        made = made_once(f"encoder-{n}", lambda out: small(out, "encoder", layers=n))
        if not Path("xlm-roberta-base").exists():
            Path("xlm-roberta-base").symlink_to(made)
        walk.prepare()
        commands = list(page.commands)
        named = {word for line in commands for word in line.split()}
        commands += [f"lingopress run {file}" for file in page.recipes if file not in named]
        assert {*walk.fewer, *walk.elsewhere} <= set(commands)
        printed, compared = {}, set()
        for line in commands:
            if line in walk.elsewhere:
                continue
            words = line.split()
            for file in page.recipes.keys() & set(words if words[1] in READING else ()):
                if not Path(file).exists():
                    Path(file).write_text(here(page.recipes[file]))
            printed[line] = type_it(f"{line} {walk.fewer.get(line, '')}")
            for file in page.recipes.keys() - compared:  # what a command writes, the page shows
                if Path(file).exists():
                    written = yaml.safe_load(Path(file).read_text())
                    assert written == yaml.safe_load(here(page.recipes[file])), file
                    compared.add(file)
        assert compared == set(page.recipes)
        return printed

    return run


def few(*stages: str, **more: object) -> str:
    """Words for one step per training of these stages, and for other keys, `a__b` being `a.b`."""
    keys = {f"{stage}.max_steps": 1 for stage in stages}
    keys |= {name.replace("__", "."): value for name, value in more.items()}
    return " ".join(f"--set {name}={value}" for name, value in keys.items())


def test_a_csv_to_an_int8_bundle(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalsuite.serving import server

    served: list[object] = []
    monkeypatch.setattr(server, "run", lambda app, *more: served.append(app))
    cut = few("teacher", "student", int8__min_agreement=0, scores__max_examples=4)
    printed = follow(
        "tutorials/csv-to-int8.md", Walk(messages, {"lingopress run messages.yaml": cut}, layers=9)
    )
    (shown,) = Page(DOCS / "tutorials/csv-to-int8.md").printed
    assert shown in next(iter(printed.values()))
    assert len(served) == 1 and len(Path("answers.jsonl").read_text().splitlines()) == 2
    Path("messages.yaml").unlink()  # docs/start.md begins with the same rows
    elsewhere = dict.fromkeys(Page(DOCS / "start.md").commands[:3], "in .ci/run")
    cut = {"lingopress run messages.yaml": cut}
    follow("start.md", Walk(fewer=cut, elsewhere=elsewhere, layers=9))


def test_a_checkpoint_to_a_trimmed_bundle(follow: Follow) -> None:
    def prepare() -> None:
        classifier()
        xtreme()

    cut = few(trimmed__model=ENCODER, retrieval__languages="[de]")
    cut += " --set 'matrix.share=[{name: all, coverage: 1.0, least: 0}]'"  # text is too short
    shipped = f"lingopress run compact/trim-only {XTREME}"
    follow("tutorials/trim-a-checkpoint.md", Walk(prepare, {shipped: cut}))


def test_base_against_large(follow: Follow) -> None:
    cut = few("adapter", "student", source="embedded", student__layers=2, matrix__size="[base]")
    cut += " --set adapter.precision=int8"  # NF4 wants a width of 64
    more = few(int8__runtime="torch", int8__precision="bf16", int8__min_agreement=0)
    cut += f" {more} {few(**FEW_ROWS, int8__probe=1, teacher__probe=1)}"
    task = "{name: xnli, epochs: 1, batch: 2, length: 16, least: 0}"
    shipped = few(student_int8__runtime="torch", student_int8__precision="bf16")
    shipped += " --set student_int8.probe=1"
    shipped += f" --set 'matrix.task=[{task}]' --set alignment.max_examples=4"
    start = "FacebookAI/xlm-roberta-${size}"  # in a folder here, as in commands
    aligned = f'["{start}", "teacher[task=xnli]", "student[task=xnli]"]'
    shipped += f" --set 'adapter.model={start}' --set 'alignment.models={aligned}'"
    fewer = {
        "lingopress run base-vs-large": f"{cut} {shipped}",
        "lingopress run base-vs-large --set matrix.size=[base]": f"{cut} {shipped}",
        "lingopress run sizes.yaml": cut,
        "lingopress run seeds.yaml": few("tagger", **FEW_ROWS, matrix__seed="[1,2]"),
    }
    follow("tutorials/base-vs-large.md", Walk(fewer=fewer))


def test_choose_under_12_mb(follow: Follow) -> None:
    cut = few("teacher", "student", search__trials=1, search__knobs__layers="[2]")
    cut += " --set before.languages=[de] --set before.max_examples=4"
    cut += " " + few(search__knobs__precision="[bf16]", **FEW_ROWS)
    cut += " " + few(packed__runtime="torch", packed__min_agreement=0)
    narrow = few(teacher__model=ENCODER, student__relation_heads=2)
    narrow += " --set 'search.knobs.width=[{name: 16, ffn: 32}]'"
    narrow += " --set 'search.knobs.coverage=[{name: 1.0, least: 0}]'"
    walk = Walk(
        xtreme,
        fewer={
            "lingopress run pocket.yaml": f"{cut} --set source=embedded",
            f"lingopress run compact/search-budget {XTREME}": f"{cut} {narrow}",
        },
        elsewhere={"pip install -c constraints.txt -e '.[search]'": INSTALLS},
    )
    follow("tutorials/under-12-mb.md", walk)


def test_intermediate_tasks(follow: Follow) -> None:
    cut = few("intermediate", "tagger", "plain", source="embedded", **FEW_ROWS)
    before = f"{{name: none, model: {ENCODER}}}, {{name: snli, model: snli}}"
    rows = {"xnli": "snli", "xcopa": "xcopa", "udpos": "udpos", "questions": "tydiqa"}
    after = ", ".join(
        f"{{name: {target}, train: {task}, steps: 1, batch: 2, length: 32}}"
        for target, task in rows.items()
    )
    small = f"--set 'matrix.before=[{before}]' --set 'matrix.target=[{after}]'"
    for name in ("snli", "cosmosqa", "tydiqa", "panx"):
        small += f" --set {name}.model={ENCODER} --set {name}.max_steps=1"
    small += f" --set 'tatoeba.models=[{ENCODER}, snli]' --set tatoeba.languages=[de]"
    fewer = {
        "lingopress run before-and-after.yaml": f"{cut} --set matrix.before=[mnli]",
        "lingopress run stacked.yaml": few("nli", "tags", one__probe=1),
        f"lingopress run stilts/mini {XTREME}": small,
    }
    follow("tutorials/intermediate-tasks.md", Walk(xtreme, fewer))


def test_in_the_browser(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    from compress.export.demo import library

    monkeypatch.setattr(library, "from_npm", lambda: {"transformers.min.js": b""})
    serving = "python -m http.server --directory page"
    fewer = {"lingopress run web.yaml": few(page__min_agreement=0)}
    walk = Walk(classifier, fewer, elsewhere={serving: "Python's server, which does not end"})
    follow("tutorials/in-the-browser.md", walk)
    assert Path("page/index.html").is_file()


def test_on_a_cluster(follow: Follow) -> None:
    from fake_cluster import FakeCluster, in_place_of_ray

    run = "lingopress run three-seeds.yaml --on ray --workspace /shared/lingopress"
    walk = Walk(
        fewer={run: few("tagger", **FEW_ROWS)},
        elsewhere={
            "pip install -c constraints.txt -e '.[cluster]'": INSTALLS,
            "ray start --head": "tests/recipes/test_ray.py starts Ray",
            "ray start --address=HOST:6379": "tests/recipes/test_ray.py starts Ray",
        },
    )
    cluster = FakeCluster({"ape": None, "bee": None})
    with in_place_of_ray(cluster):
        follow("tutorials/on-a-cluster.md", walk)
    assert {node for _, node, _ in cluster.sent} == {"ape", "bee"}
