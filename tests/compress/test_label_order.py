"""Teachers, students and gold labels are matched by the names of their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import NLI, TURNED, renamed, small, turned
from quick import distillation

from compress.distill import distill as distilling
from compress.distill.distill import distill
from compress.errors import StudentError
from compress.export.export import export
from compress.prune import prune as pruning
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.predict_lines import predict_lines
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.own.own_task import OwnTask
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, PairExample
from transfer.loop.fit import Settings

pytestmark = pytest.mark.usefixtures("traces")

EMBEDDED = DataSource("embedded")
XNLI = TASKS.get("xnli")
LINES = ["A man sleeps.\tNobody is awake.", "Zwei Hunde laufen.\tTiere bewegen sich."]
STILL = Settings(1e-9, 1, compute="fp32")  # a step that leaves the weights as they are


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One function with its labels in two orders."""
    folder = tmp_path_factory.mktemp("models")
    plain = small(folder / "plain")
    return {"plain": plain, "turned": turned(plain, folder / "turned")}


@pytest.fixture(scope="module")
def bundle(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The turned one as a bundle."""
    out = tmp_path_factory.mktemp("bundle") / "bundle"
    export(models["turned"], out, precision="fp32")
    return out


def _model(name: str, models: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue("bundle") if name == "bundle" else models[name]
    return found


EITHER = ["turned", pytest.param("bundle", marks=pytest.mark.slow)]


def _distill(teacher: Path, out: Path, **changes: object) -> float:
    asked = distillation(layers=None, max_steps=1, settings=STILL, **changes)
    fitted, _ = distill(teacher, [XNLI], EMBEDDED, asked, work=out.with_suffix(".w"), out=out)
    return fitted.final_loss


@pytest.mark.slow
def test_gold_labels_are_those_the_teacher_means(models: dict[str, Path], tmp_path: Path) -> None:
    losses = [
        _distill(models[name], tmp_path / name, logits=0.0, labels=1.0)
        for name in ("plain", "turned")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    answers = [list(predict_lines(tmp_path / name, LINES)) for name in ("plain", "turned")]
    for one, other in zip(*answers, strict=True):
        assert list(other["scores"]) == list(NLI)
        assert other["scores"] == pytest.approx(one["scores"], abs=1e-4)


@pytest.mark.parametrize("other", EITHER)
def test_teachers_are_averaged_by_name(
    other: str, models: dict[str, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A student that is the teacher has nothing to learn from two teachers that say the same;
    dropout alone is left of the loss."""
    student = small(tmp_path / "same", hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    loss = _distill(
        models["plain"], tmp_path / "out", student=student, others=(_model(other, models, request),)
    )
    assert loss == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("teacher", EITHER)
def test_a_student_may_number_its_labels_otherwise(
    teacher: str, models: dict[str, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    student = small(tmp_path / "same", hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    loss = _distill(_model(teacher, models, request), tmp_path / "out", student=student)
    assert loss == pytest.approx(0, abs=1e-5)


def test_labels_without_names_are_refused_where_names_are_needed(
    models: dict[str, Path], tmp_path: Path
) -> None:
    numbers = ("LABEL_0", "LABEL_1", "LABEL_2")
    numbered = renamed(models["plain"], tmp_path / "numbered", numbers)
    with pytest.raises(StudentError, match=r"numbered have numbers .* set id2label: .*'neutral'"):
        _distill(models["plain"], tmp_path / "o", others=(numbered,))
    with pytest.raises(StudentError, match=r"gold labels of xnli .* set labels: 0\n.*id2label"):
        _distill(numbered, tmp_path / "o", labels=1.0)
    with pytest.raises(StudentError, match=r"label by label\n.*id2label"):
        _distill(models["plain"], tmp_path / "o", student=numbered)
    assert torch.isfinite(torch.tensor(_distill(numbered, tmp_path / "o")))  # its logits alone


def test_importance_is_measured_by_the_right_gold_labels(models: dict[str, Path]) -> None:
    model = pruning._model(models["turned"], [XNLI])
    assert list(model.config.id2label.values()) == list(NLI) != TURNED


@pytest.fixture
def own(tmp_path: Path) -> OwnTask:
    """The labels of XNLI in another order: found in a file, and sorted."""
    path = tmp_path / "own.tsv"
    path.write_text("".join(f"One {label}.\tTwo.\t{label}\n" for label in NLI * 4))
    columns: dict[str, int | str] = {"first": 1, "second": 2, "label": 3}
    task = task_of("own", Declaration(format="pair", columns=columns, train={"en": str(path)}))
    assert task.labels == ("contradiction", "entailment", "neutral")
    return task


def test_gold_labels_of_all_tasks_are_numbered_alike(
    models: dict[str, Path], own: OwnTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    read = distilling.read_text
    monkeypatch.setattr(distilling, "read_text", lambda *args: seen.append(read(*args)) or seen[-1])
    asked = distillation(layers=None, max_steps=1, logits=0.0, labels=1.0, settings=STILL)
    for number, tasks in enumerate(([XNLI, own], [own, XNLI])):
        out = tmp_path / str(number)
        distill(models["plain"], tasks, EMBEDDED, asked, work=tmp_path / f"w{number}", out=out)
        table = read_config(out)["id2label"]
        names = [table[str(target)] for target in seen[-1].parts[number ^ 1].targets]
        assert names == list(NLI * 4)
        rows = XNLI.load(EMBEDDED, "train", "en")[: len(seen[-1].parts[number].targets)]
        own_names = [table[str(target)] for target in seen[-1].parts[number].targets]
        assert own_names == [row.label for row in rows if isinstance(row, PairExample)]
    assert own.labels == ("contradiction", "entailment", "neutral")


def test_importance_reads_all_tasks_with_the_labels_of_the_model(
    models: dict[str, Path], own: OwnTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(directory: Path, tasks: Any, *args: Any, **named: Any) -> None:
        assert [task.labels for task in tasks] == [NLI, NLI]
        raise KeyboardInterrupt

    monkeypatch.setattr(pruning, "importance_batches", seen)
    asked = pruning.PruneOptions(pruning.Size(units=0.5), None, seed=1)
    with pytest.raises(KeyboardInterrupt):
        pruning.prune(
            models["turned"], [XNLI, own], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o"
        )


def test_students_of_models_from_outside_can_be_scored() -> None:
    """Their heads are known only when they are there; so they are no encoders at check."""
    from recipes.stages import distill as distilling
    from recipes.stages import evaluate as evaluating
    from recipes.stages._shared.contract import Artifact

    outside, trained = Artifact("checkpoint", external=True), Artifact("checkpoint", task="xnli")
    asked = distilling.Config(
        name="s", stage="distill", teacher="./t", others=("n",), tasks=("xnli",), hidden=0
    )
    student = distilling.check(asked, {"teacher": (outside,), "others": (trained,)})
    scores = evaluating.Config(name="e", stage="evaluate", models=("s",), tasks=("xnli",))
    assert evaluating.check(scores, {"models": (student,)}).kind == "scores"


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {"labels": ("relevance",)},
        {"labels": ("valence", "arousal"), "problem_type": "regression"},
        {"labels": ("toxic", "insult"), "problem_type": "multi_label_classification"},
    ],
)
def test_scores_and_sets_of_labels_are_distilled(more: Any, tmp_path: Path) -> None:
    """Of one logit a softmax has nothing to learn; the loss is 0 where student and teacher are
    one, and falls where they are not."""
    still = {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}
    teacher = small(tmp_path / "teacher", **more, **still)
    same = {"layers": None, "max_steps": 1, "settings": STILL}
    assert _learnt(teacher, tmp_path / "same", **same) == pytest.approx(0, abs=1e-6)
    cut = {"layers": (1,), "settings": Settings(3e-3, 1, compute="fp32")}
    before = _learnt(teacher, tmp_path / "one", **cut, max_steps=1)
    after = _learnt(teacher, tmp_path / "many", **cut, max_steps=20)
    assert 0 < after < 0.5 * before


def _learnt(teacher: Path, out: Path, **changes: Any) -> float:
    """The last loss on plain text."""
    asked = distillation(logits=1.0, batch_size=16, multilingual=0.5, **changes)
    fitted, _ = distill(teacher, [], EMBEDDED, asked, work=out.with_suffix(".w"), out=out)
    return fitted.final_loss
