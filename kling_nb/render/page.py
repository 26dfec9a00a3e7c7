"""Templates filled: jinja2 with autoescape on, so that text from outside stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kling_nb.models.progress import Progress
from kling_nb.render.formatting import shorten

if TYPE_CHECKING:
    from jinja2 import Environment

LINE = "1px solid #80808047"
TINT = "#8080801a"
ACCENT = "#2196f32b"

#: Jupyter's MathJax (3 and 4 in Lab, 2 in nbconvert) leaves elements of these classes alone.
NO_MATH = "tex2jax_ignore mathjax_ignore"

STYLES: dict[str, str] = {
    "frame": f"border:{LINE};border-radius:8px;overflow:hidden;max-width:964px;margin:8px 2px 2px;"
    "font-size:13px;line-height:1.5;"
    "overflow-wrap:break-word;font-family:var(--jp-ui-font-family,system-ui,sans-serif)",
    "quiet": "opacity:.68",
    "mono": "font-family:monospace;font-size:12px",
    "grid": "display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px",
    "chip": f"background:{ACCENT};border-radius:4px;padding:1px 4px",
    "badge": "border:1px solid #d99a1c;border-radius:99px;padding:1px 9px;font-size:12px;white-space:nowrap",
    # Afloat: in JupyterLab the mouse does not reach a video that stands in the flow (Chromium 150). A place of its own
    # would do too, but is taken from it in a notebook that is not trusted. What comes after it has to clear it: a row
    # of its own kind (flex, grid) would stand beside it, in no width.
    "film": "float:left;background:#000",
    "shot": f"background:{ACCENT};text-align:center;font-size:11px;padding:2px 0;overflow:hidden",
    "code": f"word-break:normal;line-height:1.5;margin:6px 0;padding:8px 10px;background:{TINT}",
    "fold": "cursor:pointer;opacity:.68",
    "stars": "color:#b07a10",
    "line": LINE,
    "tint": TINT,
}

#: The colour of a state: a bar at the side, a dot; never of text, so that contrast is the theme's own.
TONES = {"good": "#2e9e5b", "bad": "#e0533d", "doubt": "#d99a1c", "busy": "#2196f3", "off": "#8a8a8a"}

STATUS_TONES = {
    "succeeded": "good",
    "failed": "bad",
    "cancelled": "off",
    "uncertain": "doubt",
}


def tone_of(status: str) -> str:
    """Return the colour of a job's state."""
    return TONES[STATUS_TONES.get(status, "busy")]


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


#: From so many on, all but the first few are folded; what is folded is not fetched either.
MANY, FEW = 7, 4


def stacked(cards: Sequence[str], failed: Collection[int] = ()) -> str:
    """Return cards, each HTML, as one; of many the first few and the `failed` ones, the others behind one line."""
    if len(cards) < MANY:
        return "\n".join(cards)
    shown = [card for at, card in enumerate(cards) if at < FEW or at in failed]
    rest = [card for at, card in enumerate(cards) if at >= FEW and at not in failed]
    line = f"cursor:pointer;padding:8px 14px;margin:8px 2px 2px;max-width:936px;border:{LINE};border-radius:8px"
    fold = f"<summary style='{line}'>{len(rest)} more clip{'' if len(rest) == 1 else 's'}</summary>"
    return "\n".join([*shown, *([f"<details class='kling-more'>{fold}", *rest, "</details>"] if rest else [])])


#: Jupyter's own "Error displaying widget: model not found" frightens whoever has just paid. A trusted notebook keeps
#: these rules; an untrusted one shows no widget in the first place. A widget that lives has elements in it (a button
#: inside one has none), and hides what would be said without it.
NO_ALARM = (
    "<style>.jp-OutputArea:has(.kling-gone,.kling-compare)>.jp-OutputArea-child>"
    ".jupyter-widgets:not(:has(*)),.jp-OutputArea:has(.kn-run,.kn-vote-view) .kling-gone{display:none}</style>"
)
_KEPT = "Should the kernel have ended meanwhile: nothing is lost, and nothing is paid for twice."


def gone_html(words: str) -> str:
    """Return a calm line, plain text given; the style sheet of the live view hides it while that lives."""
    return fill("gone", words=words) + NO_ALARM


def under_way_html(states: Sequence[Progress]) -> str:
    """Return what to do about jobs that are under way, should their kernel have ended, before they have or after."""
    live = [state for state in states if not state.ended]
    if len(live) == 1:
        found = f'“{shorten(live[0].title, 90)}” while it is under way; after that kn.log()["{live[0].id}"] has it.'
    else:
        found = f"what of these {len(live)} clips is under way; kn.log() has those that have ended."
    return gone_html(f"{_KEPT} kn.resume() brings in {found}")


def run_html(plan_id: str) -> str:
    """Return how to go on with the run of a plan, should its kernel have ended."""
    plan = f'kn.plan("{plan_id}")'
    return gone_html(f"{_KEPT} {plan} shows what is made, and {plan}.run() goes on with the rest.")
