"""Tasks that a recipe declares: read at `check`, in every process, and part of the cache key."""

from __future__ import annotations

import pytest

import recipes.planning.plan
from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import declared
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.data_digests import digest_need
from recipes.planning.plan import make_plan
from recipes.stages._shared.contract import DataNeed
from recipes.stages._shared.training_keys import dev_rows, training_rows

RECIPE = """
name: demo
source: files
tasks:
  topics:
    format: classification
    train: {de: train.csv}
    dev: {de: train.csv}
    test: "test-{language}.csv"
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [topics]}
  - {name: scores, stage: evaluate, models: [teacher], tasks: [topics]}
"""
PARTS = """
name: demo
source: files
tasks:
  inference:
    format: pair
    train: {en: {first: FIRST/v1/en.txt, second: SECOND/v1/en.txt, label: label/v1/en.txt}}
    labels: [YES, "NO", yes, "no"]
stages:
  - {name: teacher, stage: train, model: ./base, tasks: [inference]}
"""
CSV = "text,label\nEs regnet.,weather\nGewonnen!,sports\n"
SOURCE = DataSource("files")


@pytest.fixture
def files(lab):
    for name in ("train.csv", "test-de.csv", "test-sw.csv"):
        (lab.folder / name).write_text(CSV)
    yield lab
    load(lab.write("name: none\nsource: embedded\nstages: []\n", "none.yaml"))
    assert not declared()  # another recipe's load forgets them


def error(lab, text):
    with pytest.raises(RecipeError) as caught:
        make_plan(load(lab.write(text)), None, DigestMemo())
    return str(caught.value)


def test_a_declared_task_is_known_by_its_name(files):
    plan = make_plan(load(files.write(RECIPE)), None, DigestMemo())
    assert [stage.label for stage in plan.stages] == ["teacher", "scores", "report"]
    assert TASKS.get("topics").labels == ("sports", "weather") and "topics" in TASKS.names()


def test_its_rows_are_those_of_its_own_languages(files):
    load(files.write(RECIPE))
    assert training_rows("topics").languages == ("de",)
    assert dev_rows("topics").languages == ("de",)
    assert training_rows("xnli").languages == ("en",)
    assert training_rows("topics", ("sw",)).languages == ("sw",)


def test_the_declaration_is_part_of_the_digest(files):
    def digest(text, split="train"):
        load(files.write(text))
        return digest_need(DataNeed("topics", split), SOURCE)

    before = digest(RECIPE)
    assert digest(RECIPE) == before
    assert digest(RECIPE.replace("    dev:", "    labels: [weather, sports]\n    dev:")) != before
    assert digest(RECIPE.replace("    dev:", "    title: Topics\n    dev:")) == before
    assert digest(RECIPE.replace("    dev:", "    metric: macro_f1\n    dev:")) == before
    scored = digest(RECIPE, "eval")
    assert digest(RECIPE.replace("    dev:", "    metric: macro_f1\n    dev:"), "eval") != scored
    (files.folder / "train.csv").write_text(CSV + "Sieg!,sports\n")
    assert digest(RECIPE) != before


def test_labels_that_only_another_language_has_are_part_of_the_digest(files):
    text = RECIPE.replace("train: {de: train.csv}", "train: {de: train.csv, sw: sw.csv}")

    def digest(added, split="train", languages=("de",)):
        (files.folder / "sw.csv").write_text(CSV + added)
        load(files.write(text))
        return digest_need(DataNeed("topics", split, languages), SOURCE)

    before, scored, both = digest(""), digest("", "test"), digest("", languages=None)
    assert digest("Mvua.,weather\n") == before != digest("Muziki.,music\n")
    assert digest("Mvua.,weather\n", "test") == scored != digest("Muziki.,music\n", "test")
    assert both != digest("Mvua.,weather\n", languages=None)


def test_the_languages_that_were_seen_are_part_of_a_scored_stage(files, monkeypatch):
    monkeypatch.setattr(recipes.planning.plan, "digest_need", digest_need)

    def keys(text):
        plan = make_plan(load(files.write(text)), None, DigestMemo())
        return {stage.label: stage.key for stage in plan.stages}

    text = RECIPE.replace("model: ./base", "model: ./base, languages: [de]")
    before, seen = keys(text), TASKS.get("topics").seen_languages
    more = keys(text.replace("train: {de: train.csv}", "train: {de: train.csv, sw: train.csv}"))
    assert (seen, TASKS.get("topics").seen_languages) == (("de",), ("de", "sw"))
    assert before["teacher"] == more["teacher"]
    assert before["scores"] != more["scores"] and before["report"] != more["report"]


def test_with_another_test_language_no_model_is_trained_again(files):
    def digest(text, split):
        load(files.write(text))
        return digest_need(DataNeed("topics", split, ("de",)), SOURCE)

    fewer = RECIPE.replace('"test-{language}.csv"', "{de: test-de.csv}")
    for split, same in (("train", True), ("dev", True), ("test", False), ("eval", False)):
        assert (digest(fewer, split) == digest(RECIPE, split)) == same, split


def test_the_part_that_a_file_gives_is_part_of_the_digest(files):
    def digest(first, second):
        text = PARTS.replace("FIRST", first).replace("SECOND", second)
        load(files.write(text))
        return digest_need(DataNeed("inference", "train"), SOURCE)

    for part, lines in (("premise", "a\nb\n"), ("hypothesis", "c\nd\n"), ("label", "yes\nno\n")):
        (files.folder / part / "v1").mkdir(parents=True)
        (files.folder / part / "v1" / "en.txt").write_text(lines)
    before = digest("premise", "hypothesis")
    assert digest("hypothesis", "premise") != before
    for part in ("premise", "hypothesis", "label"):  # names of files and of folders are equal
        path = files.folder / part / "v1" / "en.txt"
        kept = path.read_text()
        path.write_text(kept.swapcase())
        assert digest("premise", "hypothesis") != before
        path.write_text(kept)
    assert digest("premise", "hypothesis") == before


def test_what_is_wrong_with_it_is_said_at_check_with_its_line(files):
    other = "    columns: {text: body}\n    dev:"
    assert "r.yaml:4: tasks.topics: train.csv:1: no column 'body'" in error(
        files, RECIPE.replace("    dev:", other).strip()
    )
    assert "tasks: xnli is a task of lingopress; choose another name" in error(
        files, RECIPE.replace("topics", "xnli")
    )
    assert "reads tags" in error(
        files, RECIPE.replace("    dev:", "    metric: chunk_f1\n    dev:")
    )
    assert "'clasification' is not allowed; did you mean 'classification'?" in error(
        files, RECIPE.replace("classification", "clasification")
    )
    assert "unknown key 'tasks.topics.colums'" in error(
        files, RECIPE.replace("    dev:", "    colums: {}\n    dev:")
    )


@pytest.mark.parametrize("wrong", ["data_dir: .", "name: ''", "seed: -1", "source: hob"])
def test_it_is_declared_where_another_key_is_wrong(files, wrong):
    text = RECIPE.strip().replace("    dev:", "    metric: f2\n    dev:")
    key = wrong.partition(":")[0]
    lines = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
    said = error(files, "\n".join([wrong, *lines]))
    assert key in said and "2 problems" in said and "'f2'" in said


def test_a_faulty_file_is_one_problem_though_stages_name_the_task(files):
    (files.folder / "train.csv").write_text("text,label\n")
    message = error(files, RECIPE)
    assert ": 1 problem\n" in message and "unknown task" not in message


def test_the_first_row_of_every_file_is_looked_at(files):
    (files.folder / "test-de.csv").write_text("text,class\nEs regnet.,weather\n")
    (files.folder / "test-sw.csv").write_text("text,label\nMvua.,4\n")
    (files.folder / "train.csv").write_text("text,label\nEs regnet.,3\nGewonnen!,x\n")
    text = RECIPE.replace("classification", "regression").replace(
        "    dev:", "    columns: {score: label}\n    dev:"
    )
    make_plan(load(files.write(text)), None, DigestMemo())  # the other rows, when they are read
    (files.folder / "train.csv").write_text("text,label\nEs regnet.,nass\n")
    (files.folder / "test-sw.csv").write_text("text,label\n,4\n")
    said = error(files, text)
    assert "tasks.topics: train.csv:2: the score 'nass' is not a number" in said
    assert "tasks.topics: test-sw.csv:2: an empty text (text)" in said
    assert said.count("train.csv") == 1  # read for train and for dev


def test_the_source_files_has_no_rows_of_other_tasks(files):
    with pytest.raises(DataError, match="source: files has no rows of xnli"):
        digest_need(training_rows("xnli"), SOURCE)
    with pytest.raises(DataError, match="it has: no language"):
        TASKS.get("xnli").load(SOURCE, "test", "en")


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (DataNeed("topics", "train", ("fr",)), "topics has training rows in de, none in fr"),
        (DataNeed("topics", "train", ("de", "fr")), "topics has training rows in de, none in fr"),
        (DataNeed("topics", "dev", ("de",)), "the task topics declares no dev files; add `dev:`"),
    ],
)
def test_rows_that_are_not_declared_are_not_looked_for_in_a_data_dir(files, need, said):
    load(files.write(RECIPE.replace("    dev: {de: train.csv}\n", "")))
    with pytest.raises(DataError, match=said) as caught:
        digest_need(need, SOURCE)
    assert "--data-dir" not in str(caught.value)


def test_files_have_no_multilingual_text(files):
    from recipes.stages._shared.contract import PARALLEL, PARALLEL_IF_ANY

    with pytest.raises(DataError, match="source: files has none"):
        digest_need(PARALLEL, SOURCE)
    assert digest_need(PARALLEL_IF_ANY, SOURCE) == "no parallel text"
    embedded = DataSource("embedded")
    assert digest_need(PARALLEL_IF_ANY, embedded) == digest_need(PARALLEL, embedded)


@pytest.mark.parametrize(
    ("written", "keys", "names"),
    [
        ("[true, false]", {}, ("true", "false")),
        ("[True, FALSE]", {}, ("True", "FALSE")),
        ("{0: false, 1: true}", {"0": "false", "1": "true"}, ("false", "true")),
        ("[01, 1.50, 1e3, null]", {}, ("01", "1.50", "1e3", "null")),
        ("['no', \"yes\"]", {}, ("no", "yes")),
    ],
)
def test_labels_are_text_as_it_is_written(files, written, keys, names):
    text = RECIPE.replace(
        "format: classification", f"format: classification\n    labels: {written}"
    )
    declaration = load(files.write(text)).recipe.tasks["topics"]
    assert declaration.label_names() == names
    assert {key: declaration.spelling(key) for key in keys} == keys


def test_rows_with_labels_true_and_false_are_read(files):
    csv = CSV.replace("weather", "true").replace("sports", "false")
    for name in ("train.csv", "test-de.csv", "test-sw.csv"):
        (files.folder / name).write_text(csv)
    keys = "labels: [true, false]\n    metric: f1\n    positive: true"
    load(files.write(RECIPE.replace("train:", f"{keys}\n    train:")))
    rows = TASKS.get("topics").load(SOURCE, "train", "de")
    assert [row.label for row in rows] == ["true", "false"]


def test_labels_of_python_values_are_those_of_yaml():
    declaration = Declaration(format="pair", train={"en": "a.tsv"}, labels=[True, False, 3])
    assert declaration.labels == ("true", "false", "3")


def test_a_home_folder_of_nobody_is_a_file_that_is_not_there(files):
    text = RECIPE.replace("train: {de: train.csv}", "train: {de: ~nobody-here/train.csv}")
    assert "there is no file ~nobody-here/train.csv" in error(files, text)


def test_a_faulty_row_is_found_before_anything_runs(files, monkeypatch):
    monkeypatch.setattr(recipes.planning.plan, "digest_need", digest_need)
    (files.folder / "test-de.csv").write_text(CSV + "Kauf!,spam\n")
    said = "r.yaml:4: tasks.topics: test-de.csv:4: unknown label 'spam'; allowed: sports, weather"
    assert error(files, RECIPE) == f"r.yaml: 1 problem\n  {said}"
    assert files.cli("run", "r.yaml") == 2 and not (files.workspace / "stages").exists()
    (files.folder / "test-sw.csv").write_text(CSV + ",sports\n")
    assert "2 problems" in error(files, RECIPE)
    only_trained = RECIPE.replace("  - {name: scores", "# {")
    make_plan(load(files.write(only_trained)), None, DigestMemo())  # reads no test rows
    with monkeypatch.context() as patched:
        patched.setattr("recipes.planning.faulty_rows.MOST_BYTES", 10)
        make_plan(load(files.write(RECIPE)), None, DigestMemo())
    read = sum((files.folder / name).stat().st_size for name in ("train.csv", "test-de.csv"))
    monkeypatch.setattr("recipes.planning.faulty_rows.MOST_IN_ALL", read)
    assert "1 problem" in error(files, RECIPE)  # test-sw.csv is not read any more


def test_a_row_with_an_unknown_one_of_several_labels_is_found(files, monkeypatch):
    monkeypatch.setattr(recipes.planning.plan, "digest_need", digest_need)
    several = RECIPE.replace("classification", "multilabel").replace(
        "    dev:", "    KEYS\n    dev:"
    )
    several = several.replace("KEYS", "columns: {labels: label}")
    (files.folder / "train.csv").write_text("text,label\nEs regnet.,cute|sad\nTor!,sad\n")
    for name in ("test-de.csv", "test-sw.csv"):
        (files.folder / name).write_text("text,label\nEs regnet.,cute\nTor!,animal|cute\n")
    assert "test-de.csv:3: unknown label 'animal'; allowed: cute, sad" in error(files, several)
