"""Templates filled: jinja2 with autoescape on, so that text from outside stays text."""

from __future__ import annotations

import html
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kling_nb.render.look import NO_MATH, STYLES, TONES, tone_of

if TYPE_CHECKING:
    from jinja2 import Environment


_SHARED: dict[str, Any] = {"css": STYLES, "tones": TONES, "no_math": NO_MATH, "tone_of": tone_of}


def fill(template: str, **values: Any) -> str:
    """Return the HTML of `templates/<template>.html.jinja` in as few bytes as it takes."""
    page = _environment().get_template(f"{template}.html.jinja").render(_SHARED | values)
    return page.encode("utf-8", "replace").decode()  # half a surrogate pair would make the notebook unwritable


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # lazily: 20 ms that a plain import need not pay

    environment = Environment(autoescape=True, loader=FunctionLoader(_source), undefined=StrictUndefined)
    environment.filters["words"] = _words
    return environment


def _words(text: str) -> Any:
    """Escape what stands between tags, and never in an attribute: quotes may stay there, which code is full of.

    Lines are broken by a tag: in a notebook's file a line of its own costs more.
    """
    from markupsafe import Markup

    return Markup(html.escape(text, quote=False).replace("\n", "<br>"))  # noqa: S704 - it is escaped


def _source(name: str) -> str:
    """Return a template without its line breaks and indents: they would be a third of a card's size."""
    return re.sub(r"\n\s*", "", files("kling_nb.render").joinpath("templates", name).read_text("utf-8"))
