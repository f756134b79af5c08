"""The charts of README and docs/results.md, from the tables of the documents.

python -m docs.make.charts          writes docs/img/chart-*.svg
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from docs.make.svg import bar, dot, line, picture, text
from docs.make.tables import interval, number, rows

IMAGES = Path(__file__).resolve().parents[1] / "img"


def passes() -> str:
    """Size against the zero-shot score, for each pass and for passes on top of each other."""
    # Where a label goes: right of its point, left of it, over it or under it.
    labels = {
        "teacher": (4, -12, "end", "start: 6 layers, fp32"),
        "distilled": (9, 4, "start", "3 layers"),
        "pruned": (0, 18, "middle", "half of heads and units"),
        "trimmed": (-9, 4, "end", "vocabulary of 6 languages"),
        "int8": (0, -12, "middle", "int8"),
        "int4": (0, 18, "middle", "int4"),
        "small": (0, 20, "middle", "3 layers and 6 languages"),
        "small_int8": (9, 4, "start", "the same in int8"),
        "small_rows4": (0, 20, "middle", "int4 embeddings"),
    }
    left, right, top, bottom = 62.0, 700.0, 58.0, 318.0
    low, high = math.log(6.5), math.log(115)
    lowest, highest = 59.5, 64.5

    def x(megabytes: float) -> float:
        return left + (math.log(megabytes) - low) / (high - low) * (right - left)

    def y(score: float) -> float:
        return bottom - (score - lowest) / (highest - lowest) * (bottom - top)

    measured = rows("compact.md", "pass", "MB", "udpos")
    sizes = {name: (number(size), number(score)) for name, size, score in measured}
    (size, score), (small, lower) = sizes["teacher"], sizes["small_int8"]
    title = (
        f"{size / small:.1f} times smaller, {score - lower:.1f} points lower: what each pass costs"
    )
    parts = [text(16, 24, title, "strong")]
    parts.append(
        text(16, 43, "UD-POS, zero-shot mean of five languages, against size on disk", "small")
    )
    for tick in range(60, 65):
        parts += [line(left, y(tick), right, y(tick), "grid")]
        parts += [text(left - 8, y(tick) + 4, str(tick), "small", "end")]
    for megabytes in (7, 10, 15, 25, 40, 60, 90):
        parts += [line(x(megabytes), bottom, x(megabytes), bottom + 5)]
        parts += [text(x(megabytes), bottom + 20, f"{megabytes} MB", "small", "middle")]
    for name, (dx, dy, anchor, label) in labels.items():
        together = name.startswith("small")
        place = x(sizes[name][0]), y(sizes[name][1])
        parts.append(dot(*place, "second" if together else "first"))
        parts.append(text(place[0] + dx, place[1] + dy, label, "small", anchor))
    parts += [dot(430, 35, "first", 5), text(440, 39, "one pass", "small")]
    parts += [dot(520, 35, "second", 5), text(530, 39, "several passes together", "small")]
    meaning = (
        "Points for each pass: left is smaller, up is better. The table is in docs/compact.md."
    )
    return picture("Size against zero-shot score", meaning, 720, 352, parts)


def front() -> str:
    """Topics on the real encoder: accuracy against speed, mean and deviation over three seeds."""
    # Where a label goes: right of its point, left of it, over it or under it.
    labels = {
        "original": (0, -16, "start"),
        "int8": (-2, 21, "middle"),
        "static, then int8": (2, -11, "start"),
        "three layers, then int8": (11, 3, "start"),
        "six of twelve layers, int8": (11, 4, "start"),
        "four layers, int8": (11, 4, "start"),
        "three layers, int8": (11, 12, "start"),
        "static": (0, -14, "end"),
    }
    left, right, top, bottom = 62.0, 690.0, 66.0, 318.0
    lowest, highest, fastest = 45.0, 90.0, 1000.0

    def x(times: float) -> float:
        return left + math.log(times) / math.log(fastest) * (right - left)

    def y(score: float) -> float:
        return bottom - (score - lowest) / (highest - lowest) * (bottom - top)

    title = "Topics in 15 languages, learnt from English rows: accuracy against speed"
    parts = [text(16, 24, title, "strong")]
    parts.append(text(16, 43, "Zero-shot accuracy, mean and deviation of three seeds", "small"))
    for tick in range(50, 91, 10):
        parts += [line(left, y(tick), right, y(tick), "grid")]
        parts += [text(left - 8, y(tick) + 4, str(tick), "small", "end")]
    for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        parts += [line(x(tick), bottom, x(tick), bottom + 5)]
        parts += [text(x(tick), bottom + 20, str(tick), "small", "middle")]
    axis = "times as many texts per second as the original in torch, one thread"
    parts.append(text((left + right) / 2, bottom + 40, axis, "small", "middle"))
    measured = rows("compact.md", "model", "MB", "zero-shot", "texts/s", "times")
    points = [
        (_name(model), number(size), number(score), float(score.split("±")[1]), number(times))
        for model, size, score, _, times in measured
    ]
    for name, size, score, deviation, times in points:
        dx, dy, anchor = labels[name]
        parts.append(line(x(times), y(score - deviation), x(times), y(score + deviation)))
        parts.append(dot(x(times), y(score)))
        words = f"{name}, {size:.0f} MB" if size >= 10 else f"{name}, {size:g} MB"
        parts.append(text(x(times) + dx, y(score) + dy, words, "small", anchor))
    meaning = "Right is faster, up is better. The table is in docs/compact.md."
    return picture(title, meaning, 720, 372, parts)


def _name(cell: str) -> str:
    """What a model is called in a chart, from a cell that may have links and a runtime.

    >>> _name("[six of twelve layers](elastic.md), int8")
    'six of twelve layers, int8'
    >>> _name("original, 12 layers, torch fp32")
    'original'
    """
    plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", cell)
    return plain.removesuffix(", 12 layers, torch fp32").removesuffix(", numpy int4")


def _bars(title: str, under: str, values: Sequence[tuple[str, float, str]], meaning: str) -> str:
    """Horizontal bars; a row is its name, its length and what is written at its end."""
    left, width, step = 210.0, 380.0, 27.0
    longest = max(value for _, value, _ in values)
    parts = [text(16, 24, title, "strong"), text(16, 43, under, "small")]
    for place, (name, value, label) in enumerate(values):
        y = 58 + place * step
        parts.append(text(left - 10, y + 14, name, "small", "end"))
        parts.append(bar(left, y, value / longest * width, 18))
        parts.append(text(left + value / longest * width + 8, y + 14, label, "small"))
    return picture(title, meaning, 720, 66 + len(values) * step, parts)


def speed() -> str:
    """XLM-R base's shape through the path: rows per second compared with the original."""
    measured = rows("compact.md", "model", "rows/s", "ratio")
    values = [(name, number(ratio), f"{ratio} times") for name, _, ratio in measured]
    return _bars(
        "Speed on real XNLI text, compared with XLM-R base's shape in torch",
        "Two CPU cores; the original is padded to 128 tokens, batches of 8 (7.9 rows/s)",
        values,
        "Bars: how many times as fast each bundle is.",
    )


def bytes_left() -> str:
    """XLM-R base's shape through the path: megabytes."""
    measured = rows("compact.md", "model", "sequences/s", "MB")
    values = [(name, number(size), f"{size} MB") for name, _, size in measured]
    return _bars(
        "Size of XLM-R base's shape on its way to int8",
        "Six layers, the vocabulary of fifteen languages, then a width of 384",
        values,
        "Bars: megabytes on disk of each model.",
    )


def _intervals(
    title: str, under: str, values: Sequence[tuple[str, tuple[float, float, float]]], meaning: str
) -> str:
    """Means with their intervals, one per row, around a line at zero where that lies within."""
    left, right, step = 210.0, 640.0, 30.0
    lows, highs = [v[1] for _, v in values], [v[2] for _, v in values]
    low, high = min(*lows, *highs), max(*lows, *highs)
    if low > 0 > low - (high - low):
        low = 0.0
    margin = (high - low) * 0.06
    low, high = low - margin, high + margin

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    bottom = 60 + len(values) * step
    parts = [text(16, 24, title, "strong"), text(16, 43, under, "small")]
    ticks = _ticks(low, high)
    for tick in ticks:
        parts.append(line(x(tick), 56, x(tick), bottom, "line" if tick == 0 else "grid"))
        parts.append(text(x(tick), bottom + 17, f"{tick:g}", "small", "middle"))
    for place, (name, (mean, least, most)) in enumerate(values):
        y = 74 + place * step
        parts.append(text(left - 10, y + 4, name, "small", "end"))
        parts.append(line(x(least), y, x(most), y, "first-line"))
        parts.append(dot(x(mean), y, "first", 5))
        parts.append(text(right + 12, y + 4, f"{mean:+.1f}" if low < 0 else f"{mean:.1f}", "small"))
    return picture(title, meaning, 720, bottom + 28, parts)


def _ticks(low: float, high: float) -> list[float]:
    """Some six round numbers between two others.

    >>> _ticks(-0.5, 4.1)
    [0, 1, 2, 3, 4]
    """
    steps = [base * 10.0**power for power in range(-2, 4) for base in (1, 2, 5)]
    step = next(s for s in steps if (high - low) / s <= 7)
    return [round(n * step, 6) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def intermediate() -> str:
    """What each intermediate task adds to UD-POS."""
    measured = rows("transfer.md", "before", "UD-POS")
    return _intervals(
        "Points that an intermediate task adds to UD-POS",
        "Zero-shot mean of 24 languages, 95% intervals; each task is trained before the tagger",
        [(name, interval(cell)) for name, cell in measured if name != "none"],
        "Means and intervals of each intermediate task; all are above zero.",
    )


def methods() -> str:
    """Training methods after the same number of batches."""
    measured = rows("transfer.md", "method", "UD-POS")
    return _intervals(
        "Training methods on UD-POS after 100 batches",
        "Zero-shot mean of 24 languages, 95% intervals",
        [(name.split(",")[0], interval(cell)) for name, cell in measured],
        "Means and intervals of each training method.",
    )


def teachers() -> str:
    """Students with and without a teacher."""
    measured = rows("compact.md", "model", "UD-POS, 24 languages")
    return _intervals(
        "Students of three layers, with a teacher and without",
        "UD-POS, zero-shot mean of 24 languages, 95% intervals",
        [(name, interval(cell)) for name, cell in measured],
        "Means and intervals of the teacher and of four students.",
    )


def languages() -> str:
    """What trimming to six languages does to those kept and to the others."""
    names = ("de", "es", "fr", "ru", "tr", "ar", "bg", "hi", "vi", "zh")
    measured = {row[0]: row[1:] for row in rows("compact.md", "task, pass", *names)}
    before, after = measured["UD-POS, teacher"], measured["UD-POS, trimmed"]
    left, right, step, high = 210.0, 640.0, 25.0, 75.0
    title = "A vocabulary cut to six languages, language by language"
    parts = [text(16, 24, title, "strong"), text(16, 43, "UD-POS before and after", "small")]
    parts += [dot(430, 39, "third", 5), text(440, 43, "before", "small")]
    parts += [dot(510, 39, "second", 5), text(520, 43, "after", "small")]
    for tick in range(0, 80, 10):
        place = left + tick / high * (right - left)
        parts.append(line(place, 56, place, 60 + len(names) * step, "grid"))
        parts.append(text(place, 77 + len(names) * step, str(tick), "small", "middle"))
    for row, (name, old, new) in enumerate(zip(names, before, after, strict=True)):
        y = 72 + row * step
        a, b = (left + number(cell) / high * (right - left) for cell in (old, new))
        kept = "kept" if row < 5 else "not kept"
        parts.append(text(left - 10, y + 4, f"{name} ({kept})", "small", "end"))
        parts += [line(a, y, b, y), dot(a, y, "third", 6), dot(b, y, "second", 4)]
    meaning = "Kept languages do not move; the others fall, most where letters are not shared."
    return picture(title, meaning, 720, 88 + len(names) * step, parts)


def memory() -> str:
    """Memory that XLM-R XL and XXL take, by setup."""
    measured = rows("memory.md", "model and method", "memory", "weights")
    model = ""
    values = []
    for name, cell, _ in measured:
        model = name.split(",")[0] if "," in name else model
        short = name if "," in name and "the same" not in name else f"{model}, checkpointing too"
        values.append(
            (short.replace("LoRA on NF4, embeddings int8", "LoRA on NF4"), number(cell), cell)
        )
    return _bars(
        "Memory of training XLM-R XL and XXL, as `lingopress plan` estimates it",
        "Batches of 8 rows of 128 tokens",
        values,
        "Bars: gigabytes of each setup.",
    )


CHARTS = {
    "front": front,
    "passes": passes,
    "speed": speed,
    "bytes": bytes_left,
    "languages": languages,
    "teachers": teachers,
    "intermediate": intermediate,
    "methods": methods,
    "memory": memory,
}


def main() -> None:
    """Write every chart."""
    IMAGES.mkdir(exist_ok=True)
    for name, draw in CHARTS.items():
        (IMAGES / f"chart-{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
