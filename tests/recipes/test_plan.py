"""Plans: artifacts that fit, models from outside, and what changes a key."""

from __future__ import annotations

import pytest

from evalsuite.errors import DataError, MissingDataError, UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, HubSource
from recipes.errors import RecipeError, StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning import data_digests
from recipes.planning.plan import make_plan
from recipes.stages._shared.contract import Artifact, DataNeed
from recipes.stages._shared.training_keys import probed
from transfer.registry import INTERMEDIATE_TASKS

RECIPE = """
name: demo
source: embedded
matrix: {task: [xnli, udpos]}
stages:
  - {name: teacher, stage: train, model: ./base, tasks: ["${task}"]}
  - {name: fused, stage: fuse, model: teacher}
  - {name: scores, stage: evaluate, models: [teacher, fused], tasks: ["${task}"]}
"""


def keys(lab, text=RECIPE, *overrides):
    plan = make_plan(load(lab.write(text), overrides), None, DigestMemo())
    return {stage.label: stage.key for stage in plan.stages}


def changed(before, after):
    return [label for label in before if before[label] != after[label]]


def error(lab, text):
    with pytest.raises(RecipeError) as caught:
        make_plan(load(lab.write(text)), None, DigestMemo())
    return str(caught.value)


def test_a_report_is_added_that_takes_everything_measured(lab):
    plan = make_plan(load(lab.write(RECIPE)), None, DigestMemo())
    last = plan.stages[-1]
    assert (last.label, last.kind) == ("report", "report")
    assert last.inputs == {"results": ("scores[task=xnli]", "scores[task=udpos]")}
    own = RECIPE + "  - {name: page, stage: report, results: ['scores[task=xnli]']}\n"
    assert [s.label for s in make_plan(load(lab.write(own)), None, DigestMemo()).stages][
        -1
    ] == "page"
    taken = RECIPE + "  - {name: report, stage: fuse, model: teacher}\n"
    labels = [s.label for s in make_plan(load(lab.write(taken)), None, DigestMemo()).stages]
    assert labels[-1] == "final-report"


def test_an_unknown_key_hides_no_other_mistake(lab):
    text = """
        name: demo
        source: embedded
        stages:
          - name: teacher
            stage: train
            model: ./base
            task: [xnli]
            stepps: many
            colour: red
            method: magic
          - {name: fused, stage: fuse, model: teacher, colour: red}
          - {name: again, stage: train, model: scores, tasks: [xnli], colour: red}
          - {name: scores, stage: evaluate, models: [fused], tasks: [xnli]}
    """
    message = error(lab, text)
    for problem in (
        "r.yaml:7: stage 'teacher' (train): unknown key 'task'; did you mean 'tasks'?",
        "r.yaml:8: stage 'teacher' (train): unknown key 'stepps'; did you mean 'steps'?",
        "r.yaml:8: stage 'teacher' (train): steps: wrong value 'many': input should be",
        "r.yaml:9: stage 'teacher' (train): unknown key 'colour'",
        "r.yaml:10: stage 'teacher' (train): method: 'magic' is not allowed",
        "r.yaml:11: stage 'fused' (fuse): unknown key 'colour'",
        "r.yaml:12: stage 'again' (train): unknown key 'colour'",
        "r.yaml:12: stage 'again' (train): model: needs a checkpoint, is given a scores",
    ):
        assert problem in message, message
    assert message.startswith("r.yaml: 8 problems")


def test_a_chain_that_does_not_fit_fails_at_its_line(lab):
    text = RECIPE.replace("model: teacher}", "model: ./base}").lstrip()
    assert error(lab, text) == (
        "r.yaml: 1 problem\n  r.yaml:6: stage 'fused' (fuse): model: has no task head to keep\n"
        "    inputs: model: ./base (checkpoint)"
    )


def test_models_from_outside(lab):
    (lab.folder / "pickled").mkdir()
    (lab.folder / "pickled" / "config.json").write_text("{}")
    (lab.folder / "pickled" / "pytorch_model.bin").write_text("")
    (lab.folder / "empty").mkdir()
    text = "name: d\nsource: embedded\nstages:\n" + "".join(
        f"  - {{name: s{i}, stage: train, model: {model}, tasks: [xnli]}}\n"
        for i, model in enumerate(("./nowhere", "./pickled", "./empty", "a/b/c", "org/name@main"))
    )
    said = error(lab, text)
    assert "r.yaml:4: stage 's0': model: there is no directory ./nowhere (from " in said
    assert (
        "r.yaml:5: stage 's1': model: pickled holds pickled weights (pytorch_model.bin) and no "
        "model.safetensors; a pickle can run code when it is opened, so it is refused." in said
    )
    assert "r.yaml:6: stage 's2': model: ./empty is not a checkpoint: it has no config.json" in said
    assert (
        "r.yaml:7: stage 's3': model: 'a/b/c' is not a hub id (org/name or org/name@revision)\n"
        "    for a directory write ./a/b/c" in said
    )
    assert "s4" not in said


def test_a_late_key_changes_only_what_follows(lab):
    before = keys(lab)
    assert changed(before, keys(lab)) == []
    assert changed(before, keys(lab, RECIPE, "fused.weight=2")) == [
        "fused[task=xnli]", "fused[task=udpos]",
        "scores[task=xnli]", "scores[task=udpos]", "report"
    ]  # fmt: skip
    assert changed(before, keys(lab, RECIPE, "seed=1")) == list(before)
    assert changed(before, keys(lab, RECIPE, "fused.seed=1")) == changed(
        before, keys(lab, RECIPE, "fused.weight=2")
    )


def test_a_matrix_value_more_leaves_the_others_alone(lab):
    more = keys(lab, RECIPE, "matrix.task=[xnli, udpos, panx]")
    assert changed(keys(lab), more) == ["report"]


def test_what_does_not_change_a_key(lab):
    before = keys(lab)
    assert changed(before, keys(lab, RECIPE, "teacher.note=hello")) == []  # not_in_key
    assert changed(before, keys(lab, RECIPE, "description=hello")) == ["report"]
    renamed = RECIPE.replace("teacher", "master")
    after = keys(lab, renamed)
    assert after["master[task=xnli]"] == before["teacher[task=xnli]"]
    assert after["fused[task=xnli]"] == before["fused[task=xnli]"]
    assert after["scores[task=xnli]"] != before["scores[task=xnli]"]  # LABELS_MATTER


def test_a_module_version_changes_its_key(lab, monkeypatch):
    from recipes.stages._shared import registry

    before = keys(lab)
    monkeypatch.setattr(registry.load_stage("fuse"), "VERSION", 2)
    assert "fused[task=xnli]" in changed(before, keys(lab))


def test_model_content_changes_the_key_but_not_its_path_or_card(lab):
    before = keys(lab)
    (lab.folder / "base" / "README.md").write_text("a card")
    (lab.folder / "base").rename(lab.folder / "moved")
    assert changed(before, keys(lab, RECIPE.replace("./base", "./moved"))) == []
    (lab.folder / "moved" / "model.safetensors").write_text("other weights")
    assert changed(before, keys(lab, RECIPE.replace("./base", "./moved"))) == list(before)


def test_the_memo_is_kept_and_a_corrupt_one_is_ignored(lab):
    path = lab.folder / "digests.json"
    memo = DigestMemo(path)
    first = memo.file(lab.folder / "base" / "config.json")
    memo.save()
    (entry,) = DigestMemo(path).known.values()
    assert entry[-1] == first
    path.write_text("{half")
    again = DigestMemo(path)
    assert again.known == {}
    assert again.file(lab.folder / "base" / "config.json") == first


def test_xtreme_needs_a_data_dir(lab):
    assert error(lab, RECIPE.replace("embedded", "xtreme").lstrip()) == (
        "r.yaml: 1 problem\n  r.yaml:2: source: xtreme reads files: add --data-dir DIR, "
        "a directory in the layout of the XTREME download scripts"
    )


class FakeTask:
    name, layout = "fake", "fake/{language}.tsv"
    format, metric, also = "pair", "accuracy", ()
    hub = HubSource("org/fake", "abc")
    hub_beside = ()

    def kind_of_source(self, source):
        return source.kind

    def eval_split(self, source):
        return "dev"

    def available(self, source, split):
        return ("en", "sw")

    def readable(self, source, split):
        return self.available(source, split)

    def files(self, source, split, language):
        return (source.data_dir / f"{split}-{language}.tsv",)


@pytest.fixture
def tasks(monkeypatch):
    for catalogue, known in ((TASKS, ("fake",)), (INTERMEDIATE_TASKS, ("mnli",))):
        monkeypatch.setattr(catalogue, "names", lambda known=known: known)
        monkeypatch.setattr(catalogue, "get", lambda name: FakeTask())


def test_data_digests(lab, tasks):
    source = DataSource("xtreme", lab.folder)
    (lab.folder / "dev-en.tsv").write_text("a")
    with pytest.raises(MissingDataError, match=r"fake dev \(sw\): there is no .*dev-sw.tsv"):
        data_digests.digest_need(DataNeed("fake", "eval"), source)
    english = data_digests.digest_need(DataNeed("fake", "eval", ("en",)), source)
    (lab.folder / "dev-sw.tsv").write_text("b")
    both = data_digests.digest_need(DataNeed("fake", "dev"), source)
    assert english != both
    assert both == data_digests.digest_need(DataNeed("fake", "eval"), source)
    (lab.folder / "dev-sw.tsv").write_text("c")
    assert both != data_digests.digest_need(DataNeed("fake", "eval"), source)
    assert (
        data_digests.digest_need(DataNeed("mnli", "train"), DataSource("hub")) == "hub:org/fake@abc"
    )
    with pytest.raises(UnknownNameError, match="unknown task 'fak'; did you mean 'fake'"):
        data_digests.digest_need(DataNeed("fak", "train"), source)


def test_a_folder_without_the_split_asked_for_is_said_so(lab, tasks, monkeypatch):
    (lab.folder / "fake").mkdir()
    monkeypatch.setattr(FakeTask, "available", lambda self, source, split: ())
    with pytest.raises(DataError, match=r"fake dev: no such file in .*fake\nexpected layout"):
        data_digests.digest_need(DataNeed("fake", "eval"), DataSource("xtreme", lab.folder))


def test_text_a_model_is_compared_on():
    head = Artifact("checkpoint", task="tydiqa")
    assert probed(None, head).name == "tydiqa"
    assert probed("xquad", head).name == "xquad"
    assert probed(None, Artifact("checkpoint", task="snli")).name == "xnli"
    assert probed("udpos", Artifact("checkpoint")).name == "udpos"
    with pytest.raises(StageInputError, match="a head trained on tydiqa cannot read xnli"):
        probed("xnli", head)
    with pytest.raises(StageInputError, match="did you mean 'xquad'"):
        probed("xqad", head)
