"""Templates filled: jinja2 with autoescape on, so that text from outside stays text."""

from __future__ import annotations

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
    html = _environment().get_template(f"{template}.html.jinja").render(_SHARED | values)
    return html.encode("utf-8", "replace").decode()  # half a surrogate pair would make the notebook unwritable


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # lazily: 20 ms that a plain import need not pay

    return Environment(autoescape=True, loader=FunctionLoader(_source), undefined=StrictUndefined)


def _source(name: str) -> str:
    """Return a template without its line breaks and indents: they would be a third of a card's size."""
    return re.sub(r"\n\s*", "", files("kling_nb.render").joinpath("templates", name).read_text("utf-8"))
