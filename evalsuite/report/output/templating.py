"""Templates of the report: Jinja escapes HTML, and the filter `md` escapes Markdown."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from evalsuite.report.table import escaped

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup


def template(name: str) -> Template:
    """A template of `templates/`."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    """It keeps the templates it has compiled."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evalsuite.report.output", "templates"),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escaped
    environment.filters["breakable"] = breakable
    return environment


def breakable(label: str) -> Markup:
    """A label as HTML that may be broken after its run, before its variables and between them."""
    from markupsafe import Markup, escape

    text = str(escape(label))
    for mark, broken in (("[", "<wbr>["), (",", ",<wbr>"), (":", ":<wbr>")):
        text = text.replace(mark, broken)
    return Markup(text)
