"""The report: its arithmetic, its three files, and what it must never leave unsaid."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evalsuite.report import write
from evalsuite.report.charts import charts, short_names
from evalsuite.report.cost_tables import cost_table
from evalsuite.report.costs import cost, costs, percentile
from evalsuite.report.formatting import duration, number, points
from evalsuite.report.headline import headline
from evalsuite.report.labels import Label, parse
from evalsuite.report.language_tables import language_section, language_table, shade
from evalsuite.report.page import breakable, markdown, page
from evalsuite.report.pareto import front
from evalsuite.report.placing import place
from evalsuite.report.plots import draw, log_ticks
from evalsuite.report.score_tables import main_table
from evalsuite.report.scores import average, can_be_averaged, columns, delta, score
from evalsuite.report.signature_tables import signatures
from evalsuite.report.stage_tables import stage_table
from evalsuite.report.systems import group, task_variables
from evalsuite.report.table import Table
from evalsuite.results import (
    Environment,
    ModelInfo,
    RunRecord,
    SpeedResult,
    StageRecord,
    TaskResult,
    Throughput,
)
from evalsuite.task import SourceKind

MACHINE = Environment(
    cpu="a CPU",
    instruction_set=("avx2", "avx512_vnni"),
    cores=2,
    threads=2,
    device="cpu",
    system="Linux",
    versions={"onnxruntime": "1.22.0"},
)
LABELS = {"xnli": ("XNLI", "accuracy"), "udpos": ("UD-POS", "chunk_f1")}


def a_model(label: str, size: int = 1000, runtime: str = "torch") -> ModelInfo:
    return ModelInfo(
        label=label,
        digest=f"sha256:{label.encode().hex():0<64}",
        architecture="xlm-roberta 4x192",
        runtime=runtime,
        precision="fp32" if runtime == "torch" else "int8",
        parameters=14_000_000,
        embedding_parameters=12_000_000,
        bytes=size,
        tokenizer_bytes=10,
    )


def a_score(
    model: ModelInfo, task: str = "xnli", *, source: SourceKind = "embedded", **by_language: float
) -> TaskResult:
    title, metric = LABELS.get(task, (task.title(), "retrieval_accuracy"))
    metrics = {metric: by_language}
    if task == "udpos":
        metrics["token_accuracy"] = {code: value + 1 for code, value in by_language.items()}
    return TaskResult(
        model=model,
        task=task,
        title=title,
        main_metric=metric,
        metrics=metrics,
        chance=dict.fromkeys(by_language, 33.3),
        examples=dict.fromkeys(by_language, 1500),
        absent_languages=("el", "th"),
        source=source,
        split="test",
        source_language="en",
        data_digest=f"sha256:{task.encode().hex():0<64}",
        layer=8 if task == "tatoeba" else None,
        pooling="mean" if task == "tatoeba" else None,
        seed=7,
        seconds=1.0,
        environment=MACHINE,
    )


def a_speed(model: ModelInfo, rate: float, *, threads: int = 2, text: str = "xnli") -> SpeedResult:
    return SpeedResult(
        model=model,
        text=f"{text} dev, 2 languages, 4 sentences",
        source="embedded",
        data_digest="sha256:00ff00ff00ff00ff",
        token_lengths=(10, 20, 30, 40),
        load_seconds=(1.0, 3.0, 2.0),
        warmup_seconds=(9.0,),
        latency_seconds=(0.010, 0.020, 0.030, 0.040),
        throughput=tuple(
            Throughput(sentences=100, tokens=1, seconds=100 / r) for r in (rate, rate * 3, rate / 2)
        ),
        peak_memory=5_000_000,
        baseline_memory=2_000_000,
        environment=MACHINE.model_copy(update={"threads": threads}),
    )


def a_run(*scores: TaskResult, speeds: tuple[SpeedResult, ...] = ()) -> RunRecord:
    return RunRecord(
        recipe="small",
        description="A <b>small</b> run | of two.",
        source="embedded",
        seed=7,
        stages=(
            StageRecord(
                name="teacher[task=xnli]",
                kind="train",
                key="k",
                inputs=("base",),
                config={},
                summary={"steps": 400, "final loss": 1.2345, "method": "lora"},
                seconds=100.0,
                output_bytes=2_000_000,
                finished="2026-01-01T00:00:00Z",
            ),
        )
        * 2,
        scores=scores,
        speeds=speeds,
    )


TEACHER, INT8 = "teacher[task={}]", "int8[task={}]"


@pytest.fixture(scope="module")
def run() -> RunRecord:
    """Two systems, each fanned out over two tasks, and a base that has retrieval alone."""
    teachers = {task: a_model(TEACHER.format(task), 8000) for task in LABELS}
    students = {task: a_model(INT8.format(task), 1000, "onnxruntime") for task in LABELS}
    return a_run(
        a_score(teachers["xnli"], en=80, de=70, sw=60),
        a_score(teachers["udpos"], "udpos", en=90, de=80, sw=40),
        a_score(teachers["xnli"], "tatoeba", de=50, sw=30),
        a_score(teachers["udpos"], "tatoeba", de=60, sw=40),
        a_score(students["xnli"], en=78, de=69, sw=57),
        a_score(students["udpos"], "udpos", en=89, de=79, sw=38),
        a_score(students["xnli"], "tatoeba", de=40, sw=20),
        a_score(a_model("base", 8000), "tatoeba", de=20, sw=10),
        speeds=(
            *(a_speed(model, 10) for model in teachers.values()),
            *(a_speed(model, 90) for model in students.values()),
        ),
    )


@pytest.fixture(scope="module")
def written(run: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(run, tmp_path_factory.mktemp("report") / "new")


def texts(table: Table) -> dict[str, list[str]]:
    return {row.head.text: [cell.text for cell in row.cells] for row in table.rows}


# Labels and systems


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("base", Label("base")),
        ("t[task=xnli,seed=1]", Label("t", (("task", "xnli"), ("seed", "1")))),
        ("org/model[odd", Label("org/model[odd")),
        ("t[xnli]", Label("t[xnli]")),
        ("t[a=b=c]", Label("t", (("a", "b=c"),))),
    ],
)
def test_labels(text: str, label: Label) -> None:
    assert parse(text) == label
    assert str(label) == text


def test_variants_of_different_tasks_are_one_system(run: RunRecord) -> None:
    assert task_variables(run) == {"task"}
    assert [(s.name, len(s.models)) for s in group(run)] == [
        ("teacher", 2),
        ("int8", 2),
        ("base", 1),
    ]


def test_seeds_and_sizes_are_systems_of_their_own() -> None:
    run = a_run(
        *(
            a_score(a_model(f"t[seed={seed},task={task}]"), task, en=1, de=2)
            for seed in (1, 2)
            for task in LABELS
        )
    )
    assert [system.name for system in group(run)] == ["t[seed=1]", "t[seed=2]"]


def test_a_variable_with_one_value_is_dropped_when_it_names_the_task() -> None:
    run = a_run(a_score(a_model("t[task=xnli,size=base]"), en=1, de=2))
    assert [system.name for system in group(run)] == ["t[size=base]"]


def test_two_intermediate_tasks_scored_on_the_same_tasks_stay_apart() -> None:
    run = a_run(
        *(a_score(a_model(f"t[via={via}]"), task, en=1, de=2) for via in LABELS for task in LABELS)
    )
    assert [system.name for system in group(run)] == ["t[via=xnli]", "t[via=udpos]"]


def test_one_label_in_two_runtimes_is_two_systems() -> None:
    run = a_run(*(a_score(a_model("s", 1, r), en=1, de=2) for r in ("torch", "onnxruntime")))
    assert [system.name for system in group(run)] == ["s · torch fp32", "s · onnxruntime int8"]


# Scores


def test_zero_shot_leaves_the_source_language_out(run: RunRecord) -> None:
    teacher, int8, _ = group(run)
    xnli = columns(run.scores)[0]
    own, other = score(teacher, xnli), score(int8, xnli)
    assert own is not None and other is not None
    assert (own.mean, own.source, own.models) == (65, 80, 1)
    assert own.chance == pytest.approx(33.3)
    assert delta(other, own) == -2


def test_several_variants_on_one_task_are_averaged_and_counted(run: RunRecord) -> None:
    table = main_table(group(run), columns(run.scores))
    cell = table.rows[0].cells[2]
    assert (cell.text, cell.sub) == ("45.0", "2 models")


def test_main_table(run: RunRecord) -> None:
    table = main_table(group(run), columns(run.scores))
    assert [column.text for column in table.columns] == ["XNLI", "UD-POS", "Tatoeba", "Average"]
    assert texts(table) == {
        "teacher": ["65.0", "60.0", "45.0", "56.7"],
        "int8": ["63.0", "58.5", "30.0", "50.5"],
        "base": ["–", "–", "15.0", "15.0"],
        "chance": ["33.3", "33.3", "33.3", "33.3"],
    }
    assert [cell.delta for cell in table.rows[1].cells] == ["−2.0", "−1.5", "−15.0", "−6.2"]
    assert table.rows[0].cells[0].sub == "en 80.0"
    assert table.rows[2].cells[3].sub == "1 of 3 tasks"
    assert not table.rows[2].cells[3].delta  # over other tasks than the teacher's
    assert any("Tatoeba: int8 and base not above chance" in note for note in table.notes)


def test_no_difference_is_given_over_different_languages() -> None:
    run = a_run(a_score(a_model("a"), en=1, de=50, sw=50), a_score(a_model("b"), en=1, de=60))
    table = main_table(group(run), columns(run.scores))
    assert table.rows[1].cells[0].delta == ""
    assert any("b scored on other languages than a" in note for note in table.notes)


def test_splits_and_layers_are_columns_of_their_own() -> None:
    model = a_model("a")
    test, other = a_score(model, en=1, de=50), a_score(model, "tatoeba", de=5)
    found = columns(
        [
            test,
            test.model_copy(update={"split": "dev"}),
            other,
            other.model_copy(update={"layer": 9}),
        ]
    )
    assert [column.name for column in found] == [
        "XNLI (test)",
        "XNLI (dev)",
        "Tatoeba (layer 8)",
        "Tatoeba (layer 9)",
    ]
    assert not can_be_averaged(found)


def test_sources_are_never_averaged() -> None:
    model = a_model("a")
    mixed = a_run(a_score(model, en=1, de=50), a_score(model, "udpos", source="hub", en=1, de=50))
    tasks = columns(mixed.scores)
    assert [task.name for task in tasks] == ["XNLI (embedded)", "UD-POS (hub)"]
    assert "Average" not in [column.text for column in main_table(group(mixed), tasks).columns]
    assert all("Average" not in chart.title for chart in charts(group(mixed), tasks))


def test_a_score_in_the_source_language_alone() -> None:
    run = a_run(a_score(a_model("a"), en=50))
    content = page(run)
    assert content.main.rows[0].cells[0].text == "–"
    assert content.main.rows[0].cells[0].sub == "en 50.0"
    assert content.headline == "a: 0.00 MB."
    assert not content.charts
    assert average(group(run)[0], columns(run.scores)) is None


# Languages


def test_language_table(run: RunRecord) -> None:
    systems, tasks = group(run), columns(run.scores)
    table = language_table(systems[:2], tasks[0])
    assert [(row.head.text, row.kind) for row in table.rows] == [
        ("English", "source"),
        ("German", ""),
        ("Swahili", ""),
        ("zero-shot mean", "mean"),
        ("transfer gap", "aside"),
    ]
    assert texts(table)["German"] == ["70.0", "69.0", "33.3", "1,500"]
    assert texts(table)["zero-shot mean"] == ["65.0", "63.0", "33.3", ""]
    assert texts(table)["transfer gap"] == ["+15.0", "+15.0", "", ""]


def test_other_metrics_and_absent_languages(run: RunRecord) -> None:
    section = language_section(group(run), columns(run.scores)[1])
    assert section.absent == "Greek (el), Thai (th)"
    assert section.others is not None
    assert texts(section.others) == {"teacher": ["61.0", "91.0"], "int8": ["59.5", "90.0"]}
    assert language_section(group(run), columns(run.scores)[0]).others is None


def test_shades_run_from_chance_to_the_best() -> None:
    assert [shade(v, 30, 80) for v in (None, 20, 30, 55, 80)] == [0, 0, 0, 4, 9]


# Cost


def test_percentile_is_linear_between_samples() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile([5], 99) == 5
    assert percentile([0, 10], 90) == 9


def test_cost(run: RunRecord) -> None:
    own = cost(group(run)[0], "2 threads")
    assert own.sentences_per_second == pytest.approx(10)  # median of 10, 30, 5
    assert own.latency_ms[50] == pytest.approx(25)
    assert (own.load_seconds, own.memory, own.bytes) == (2, 3_000_000, 8000)


def test_cost_table_compares_with_the_first_system(run: RunRecord) -> None:
    table = cost_table(group(run))
    assert table.rows[1].cells[0].sub == "8.0× smaller"
    assert table.rows[1].cells[4].sub == "9.0× faster"
    assert texts(table)["base"][4:] == ["–"] * 6
    assert any("teacher (2) and int8 (2)" in note for note in table.notes)


def test_settings_are_rows_of_their_own_and_texts_are_not_compared() -> None:
    a, b = a_model("a", 100), a_model("b", 10)
    run = a_run(
        speeds=(
            a_speed(a, 10),
            a_speed(a, 20, threads=1),
            a_speed(b, 30),
            a_speed(b, 40, threads=1, text="udpos"),
        )
    )
    table = cost_table(group(run))
    assert [(row.head.text, row.cells[4].sub) for row in table.rows] == [
        ("a, 2 threads", ""),
        ("a, 1 thread", ""),
        ("b, 2 threads", "3.0× faster"),
        ("b, 1 thread", ""),
    ]
    assert any("same text" in note for note in table.notes)
    assert len(costs(group(run))) == 4


def test_speeds_over_fewer_models_are_told(run: RunRecord) -> None:
    fewer = run.model_copy(update={"speeds": run.speeds[1:]})
    assert any("teacher (1 of 2)" in note for note in cost_table(group(fewer)).notes)
    assert not any(" of 2)" in note for note in cost_table(group(run)).notes)


# Pareto


@pytest.mark.parametrize(
    ("found", "smaller", "expected"),
    [
        ([(1, 50), (2, 60), (3, 55)], True, (0, 1)),
        ([(1, 50), (2, 60), (3, 55)], False, (1, 2)),
        ([(1, 50), (1, 50), (2, 40)], True, (0, 1)),
        ([(3, 1), (1, 1)], True, (1,)),
        ([], True, ()),
    ],
)
def test_front(found: list[tuple[float, float]], smaller: bool, expected: tuple[int, ...]) -> None:
    assert front(found, smaller_is_better=smaller) == expected


def test_a_partial_average_is_never_on_the_front(run: RunRecord) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    assert [point.name for point in chart.points if point.partial] == ["base"]
    assert [chart.points[i].name for i in chart.front] == ["int8", "teacher"]
    assert "base (Tatoeba)" in chart.caption


def test_labels_in_plots_do_not_overlap() -> None:
    spots = [(100.0 + i, 100.0 + i % 2) for i in range(8)]
    corners = place(spots, [(50.0, 12.0)] * 8, (0.0, 0.0, 400.0, 300.0))
    for i, (x, y) in enumerate(corners):
        assert 0 <= x <= 350 and 0 <= y <= 288
        assert all(abs(x - u) >= 50 or abs(y - v) >= 12 for u, v in corners[:i])


def test_short_names_stay_apart() -> None:
    assert short_names(["t[s=1]", "t[s=2]", "i[s=1]", "b"]) == ["t[1]", "t[2]", "i", "b"]
    assert short_names(["t[a=1]", "t[b=1]"]) == ["t[a=1]", "t[b=1]"]


@pytest.mark.parametrize("span", [(1, 1.2), (3, 80), (0.5, 5e6), (7, 7.01)])
def test_ticks(span: tuple[float, float]) -> None:
    ticks = log_ticks(*span)
    assert ticks and all(span[0] <= tick <= span[1] for tick in ticks)


def test_a_drawing_is_the_same_every_time(run: RunRecord) -> None:
    chart = charts(group(run), columns(run.scores))[0]
    assert draw(chart, "a") == draw(chart, "a")
    assert 'role="img"' in draw(chart, "a")
    assert "On the Pareto front: int8 and teacher" in draw(chart, "a")


# Headline, stages, texts


def test_headline(run: RunRecord) -> None:
    assert headline(group(run), columns(run.scores)).replace("\u00a0", " ") == (
        "int8: 8.0× smaller and 9.0× faster than teacher, "
        "−6.2 points zero-shot on average over 3 tasks."
    )


def test_headline_says_only_what_was_measured(run: RunRecord) -> None:
    unscored = run.model_copy(update={"scores": ()})
    assert headline(group(unscored), ()) == (  # nothing says which variable selects the task
        "int8[task=xnli]: 8.0× smaller and 9.0× faster than teacher[task=xnli]."
    )
    unspeeded = run.model_copy(update={"speeds": ()})
    assert "faster" not in page(unspeeded).headline
    assert page(a_run()).headline == "Nothing was measured in this run."
    assert page(a_run(a_score(a_model("a"), en=9, de=50))).headline == (
        "a: 0.00 MB, 50.0 zero-shot on XNLI."
    )


def test_stages_add_up(run: RunRecord) -> None:
    table = stage_table(run.stages)
    assert table.rows[0].cells[2].text == "steps 400 · final loss 1.23 · method lora"
    assert texts(table)["total"] == ["", "", "", "3 min 20 s", "4.00"]


def test_numbers() -> None:
    assert [points(v) for v in (None, -0.04, 1.25, -1.84)] == ["", "±0.0", "+1.2", "−1.8"]
    assert [number(v) for v in (1112.4, 34.7, 3.4711)] == ["1,112", "34.7", "3.47"]
    assert [duration(v) for v in (0.25, 59.96, 7500)] == ["0.2 s", "1 min 00 s", "2 h 05 min"]


def test_labels_break_before_their_variables_and_are_escaped() -> None:
    assert breakable("<t>[a=1,b=2]") == "&lt;t&gt;<wbr>[a=1,<wbr>b=2]"


# The files

VOID = {"meta", "wbr", "br", "link", "img", "input", "hr"}


class Balance(HTMLParser):
    """Checks that every element is closed in its turn, and collects ids and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "data"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_well_formed_and_fetches_nothing(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(text)
    assert not parser.open
    assert len(set(parser.ids)) == len(parser.ids)
    assert all(
        address.startswith("#") and address[1:] in parser.ids for address in parser.addresses
    )
    assert "http" not in text and "@import" not in text and "<script" not in text
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", text))


def test_html_is_escaped_and_says_where_its_data_is_from(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "A &lt;b&gt;small&lt;/b&gt; run" in text
    badge = text.index("embedded (template-generated; says nothing about XTREME-R)")
    assert badge < text.index("<h1>")
    assert "Mixed sources" not in text
    assert "chance" in text


@pytest.mark.parametrize("other", ["hub", "xtreme"])
def test_mixed_sources_are_warned_of(run: RunRecord, tmp_path: Path, other: SourceKind) -> None:
    stranger = run.scores[1].model_copy(update={"source": other})
    mixed = run.model_copy(update={"scores": (run.scores[0], stranger), "speeds": ()})
    for file in (write(mixed, tmp_path), tmp_path / "report.md"):
        text = file.read_text(encoding="utf-8")
        assert "ixed sources" in text
        assert f"from {other}: udpos of teacher" in text
    elsewhere = run.model_copy(update={"source": other})
    assert "some figures are from another: from embedded" in page(elsewhere).warning


def test_every_number_has_its_signature(run: RunRecord) -> None:
    found = signatures(run)
    assert len(found.scores.rows) == len(run.scores)
    assert len(found.speeds.rows) == len(run.speeds)
    assert len(found.environments.rows) == 1
    row = found.scores.rows[2]
    assert row.head.text == "teacher[task=xnli]"
    assert [cell.text for cell in row.cells] == [
        "tatoeba",
        "retrieval_accuracy",
        "embedded",
        "test",
        run.scores[2].data_digest[7:19],
        run.scores[2].model.digest[7:19],
        "torch",
        "fp32",
        "8, mean",
        "7",
        "E1",
    ]
    assert [cell.text for cell in found.environments.rows[0].cells] == [
        "a CPU",
        "avx2 avx512_vnni",
        "2",
        "2",
        "cpu",
        "Linux",
        "onnxruntime 1.22.0",
    ]


def test_json_reads_back_and_markdown_has_the_same_tables(run: RunRecord, written: Path) -> None:
    assert {file.name for file in written.parent.iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
    }
    text = (written.parent / "report.json").read_text(encoding="utf-8")
    assert RunRecord.model_validate_json(text) == run
    text = (written.parent / "report.md").read_text(encoding="utf-8")
    content = page(run)
    for table in (content.main, content.cost, content.stages, content.signatures.scores):
        assert table.markdown() in text
    assert "A &lt;b>small&lt;/b> run \\| of two." in text


def test_markdown_tables_are_rectangular(run: RunRecord) -> None:
    for block in re.findall(r"(?:^\|.*\n?)+", markdown(page(run)), flags=re.M):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1


def test_an_empty_run_is_a_report_too(tmp_path: Path) -> None:
    run = RunRecord(
        recipe="none", description="", source="hub", seed=1, stages=(), scores=(), speeds=()
    )
    text = write(run, tmp_path).read_text(encoding="utf-8")
    for said in ("No scores in this run", "No stages are recorded", "no signatures"):
        assert said in text
        assert said in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_speeds_without_scores(run: RunRecord) -> None:
    content = page(run.model_copy(update={"scores": ()}))
    assert not content.main.rows and not content.charts and not content.languages
    assert len(content.cost.rows) == 4
