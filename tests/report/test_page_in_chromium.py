"""The report in headless Chromium: sorting, filtering, picking a language, without scripts.

And the script of the site, which makes its wide tables reachable by keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from headless import Browser, chromium
from report_fakes import a_model, a_run, a_score, a_speed

from evalsuite.report.output.page import write

pytestmark = [
    pytest.mark.slow,  # Chromium starts
    pytest.mark.skipif(chromium() is None, reason="no Chromium"),
]

ROOT = Path(__file__).resolve().parents[2]
CODES = ("de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "vi", "zh")
TABLE = "document.querySelector('#languages .scroll table')"
HEADS = f"[...{TABLE}.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[0].innerText)"
BOX = "getBoundingClientRect()"
CHART = "document.querySelector('#languages svg')"


def codes() -> str:
    return f"{HEADS}.map(text => text.slice(-2))"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    teacher, small = a_model("teacher", 8000), a_model("int8", 1000, "onnxruntime")
    scores: list[dict[str, float]] = [
        {"en": 90, **{code: 50 + 3 * i for i, code in enumerate(CODES)}},
        {"en": 80, **{code: 70 - 2 * i for i, code in enumerate(CODES)}},
    ]
    interval = {"intervals": {"sw": (60.0, 75.0)}}
    run = a_run(
        a_score(teacher, **scores[0]).model_copy(update=interval),
        a_score(teacher, "udpos", **scores[1]),
        a_score(small, **scores[1]),
        speeds=(a_speed(teacher, 10), a_speed(small, 90)),
    )
    return write(run, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        browser.send("Emulation.setFocusEmulationEnabled", enabled=True)
        yield browser


@pytest.fixture
def opened(browser: Browser, report: Path) -> Browser:
    browser.said.clear()
    browser.asked.clear()
    browser.open("about:blank")
    browser.open(report.as_uri())
    browser.wait("location.protocol === 'file:' && document.readyState === 'complete'", 20)
    return browser


def press(browser: Browser, *keys: str) -> None:
    codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowRight": 39, "End": 35}
    for key in keys:
        more: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": codes[key]}
        if key == "Enter":
            more["text"] = "\r"
        browser.send("Input.dispatchKeyEvent", type="keyDown", **more)
        browser.send("Input.dispatchKeyEvent", type="keyUp", **more)


def click(browser: Browser, element: str) -> None:
    browser.run(f"({element}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
    box = browser.run(f"(({{x, y, width, height}}) => [x, y, width, height])({element}.{BOX})")
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def test_it_opens_without_an_error_or_a_request_and_is_small(opened: Browser, report: Path) -> None:
    assert opened.run("document.querySelectorAll('.sort').length") > 10
    assert not opened.said
    assert opened.asked == [report.as_uri()]
    assert report.stat().st_size < 2_000_000


def test_a_click_sorts_and_the_summary_stays_at_the_end(opened: Browser) -> None:
    before = opened.run(codes())
    assert before[0] == "en" and before[-2:] == ["an", "ap"]  # zero-shot mean, transfer gap
    button, head = f"{TABLE}.querySelectorAll('.sort')[2]", f"{TABLE}.querySelectorAll('th')[2]"
    expected = ["en", *CODES]  # of int8: 80, 70, 68, ...
    for order, found in (("descending", expected), ("ascending", expected[::-1])):
        click(opened, button)
        assert opened.run(f"{head}.getAttribute('aria-sort')") == order
        assert opened.run(codes()) == [*found, *before[-2:]]
    click(opened, button)
    assert opened.run(codes()) == before and opened.run(f"!{head}.hasAttribute('aria-sort')")


def test_a_filter_keeps_the_rows_that_hold_its_words(opened: Browser) -> None:
    opened.run("document.querySelector('#languages .filter input').focus()")
    opened.send("Input.insertText", text="swa")
    assert [head[:7] for head in opened.run(HEADS)] == ["Swahili", "zero-sh", "transfe"]
    assert opened.run("document.querySelector('#languages output').textContent") == "1 of 12 rows"


def test_the_keyboard_picks_a_language_in_a_chart_for_all(opened: Browser) -> None:
    opened.run(f"{CHART}.querySelector('.mark[tabindex=\"0\"]').focus()")
    press(opened, "End")
    assert opened.run("document.querySelector('#tip').hidden") is False
    first = opened.run("document.querySelector('#tip').innerText")
    assert first.splitlines()[0] == "int8" and "accuracy" not in first
    press(opened, "Enter")
    picked = "[...document.querySelectorAll('.picked')].map(e => e.dataset.language)"
    languages = set(opened.run(picked))
    assert len(languages) == 1
    code = languages.pop()
    everywhere = opened.run(f"document.querySelectorAll('[data-language={code}]').length")
    assert len(opened.run(picked)) == everywhere >= 4  # two charts and two tables
    pressed = f"document.querySelectorAll('[data-language={code}] [aria-pressed=true]').length"
    assert opened.run(pressed) >= everywhere
    press(opened, "Escape", "Escape")  # the text of the point, then the language
    assert opened.run(picked) == []


def test_a_row_picks_its_language_and_a_point_shows_its_interval(opened: Browser) -> None:
    click(opened, f"{TABLE}.querySelector('tr[data-language=sw] .pick')")
    assert opened.run("document.querySelector('[role=status]').innerText").startswith("Swahili")
    assert opened.run("document.querySelector('select').value") == "sw"
    opened.send("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
    click(opened, f"{CHART}.querySelector('[data-language=sw] .mark')")
    assert opened.run("document.querySelector('#tip').innerText").splitlines() == [
        "teacher", "XNLI, Swahili: 68.0 (60.0 to 75.0)",
    ]  # fmt: skip
    assert opened.run("document.querySelectorAll('.picked').length") == 0


def test_without_scripts_everything_is_there_and_no_control(browser: Browser, report: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(report.with_name("report.html").as_uri() + "?plain")
        for _ in range(100):
            if browser.run("location.search === '?plain' && document.readyState === 'complete'"):
                break
        assert browser.run("document.querySelectorAll('button, input, select, #tip').length") == 0
        assert len(browser.run(HEADS)) == 14
        title = (
            "document.querySelector('#languages svg [data-language=sw] .mark title').textContent"
        )
        assert browser.run(title).startswith("teacher\n")
        assert browser.run("document.querySelector('#languages svg').getAttribute('role')") == "img"
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_wide_tables_and_code_of_the_site_are_reached_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    script = (ROOT / "docs" / "keyboard.js").read_text(encoding="utf-8")
    wide = "style='display: inline-block; width: 9000px'"
    (tmp_path / "page.html").write_text(
        "<body class=md-typeset><h2>Speed</h2><style>div, code {display: block; overflow: auto}"
        f"</style><div class=md-typeset__scrollwrap><p {wide}></div>"
        "<div class=md-typeset__scrollwrap>short</div>"
        f"<pre><code><span {wide}>a</span></code></pre><script>{script}</script>"
    )
    browser.open((tmp_path / "page.html").as_uri())
    browser.wait("document.querySelectorAll('[role=region]').length === 2", 20)
    names = "[...document.querySelectorAll('[tabindex]')].map(e => e.ariaLabel)"
    assert sorted(browser.run(names)) == ["Speed, code 3", "Speed, table 1"]
    browser.run("document.querySelector('code').removeAttribute('tabindex')")  # as the theme does
    browser.wait("document.querySelector('code').tabIndex === 0", 20)
