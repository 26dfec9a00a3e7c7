"""Templates, their styles, and the notes for notebooks without a kernel. Autoescape is on: outside text stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kling_nb.models.progress import Progress
from kling_nb.render.formatting import counted, shorten

if TYPE_CHECKING:
    from jinja2 import Environment

LINE = "1px solid #80808047"
TINT = "#8080801a"
ACCENT = "#2196f32b"

#: Jupyter's MathJax (3 and 4 in Lab, 2 in nbconvert) ignores elements of these classes.
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
    # It floats because mouse events in JupyterLab do not reach a video in normal flow (Chromium 150). `position` would
    # work too, but an untrusted notebook removes it. The next element must clear the float; a flex or grid container
    # would be placed beside it with no width.
    "video": "float:left;background:#000",
    "shot": f"background:{ACCENT};text-align:center;font-size:11px;padding:2px 0;overflow:hidden",
    "code": f"word-break:normal;line-height:1.5;margin:6px 0;padding:8px 10px;background:{TINT}",
    "fold": "cursor:pointer;opacity:.68",
    "stars": "color:#b07a10",
    "line": LINE,
    "tint": TINT,
}

#: The colour of a state, for a bar or a dot; never for text, so that its contrast is that of the theme.
TONES = {"good": "#2e9e5b", "bad": "#e0533d", "warning": "#d99a1c", "busy": "#2196f3", "off": "#8a8a8a"}

STATUS_TONES = {"succeeded": "good", "failed": "bad", "cancelled": "off", "uncertain": "warning"}


def tone_of(status: str) -> str:
    """Return the colour of a job's state."""
    return TONES[STATUS_TONES.get(status, "busy")]


_SHARED: dict[str, Any] = {"css": STYLES, "tones": TONES, "no_math": NO_MATH, "tone_of": tone_of, "counted": counted}


def render_template(template: str, **values: Any) -> str:
    """Return `templates/<template>.html.jinja` as compact HTML."""
    page = _environment().get_template(f"{template}.html.jinja").render(_SHARED | values)
    return page.encode("utf-8", "replace").decode()  # half a surrogate pair would make the notebook unwritable


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # lazily: it takes 20 ms

    environment = Environment(autoescape=True, loader=FunctionLoader(_source), undefined=StrictUndefined)
    environment.filters["words"] = _words
    return environment


def _words(text: str) -> Any:
    """Escape text between tags, never in an attribute: quotes, of which code has many, stay as they are.

    A line break becomes a tag, which takes less space in a notebook's file than a separate line.
    """
    from markupsafe import Markup

    return Markup(html.escape(text, quote=False).replace("\n", "<br>"))  # noqa: S704 - it is escaped


def _source(name: str) -> str:
    """Return a template without its line breaks and indentation, which would be a third of a card's size."""
    return re.sub(r"\n\s*", "", files("kling_nb.render").joinpath("templates", name).read_text("utf-8"))


#: From `MANY` cards on, all but the first `FEW` are folded; browsers do not fetch folded videos.
MANY, FEW = 7, 4


def stack_cards(cards: Sequence[str], failed: Collection[int] = ()) -> str:
    """Return cards as one piece of HTML; if there are many, the first few and the `failed` ones stay unfolded."""
    if len(cards) < MANY:
        return "\n".join(cards)
    shown = [card for index, card in enumerate(cards) if index < FEW or index in failed]
    rest = [card for index, card in enumerate(cards) if index >= FEW and index not in failed]
    style = f"cursor:pointer;padding:8px 14px;margin:8px 2px 2px;max-width:936px;border:{LINE};border-radius:8px"
    fold = f"<summary style='{style}'>{counted(len(rest), 'more clip')}</summary>"
    return "\n".join([*shown, *([f"<details class='kling-more'>{fold}", *rest, "</details>"] if rest else [])])


#: Hides Jupyter's "Error displaying widget: model not found", which alarms users who have just paid. A trusted notebook
#: keeps these rules; an untrusted one shows no widgets at all. A live widget has child elements (a button inside one
#: has none), and hides the note for a notebook without a kernel.
NO_WIDGET_ERROR = (
    "<style>.jp-OutputArea:has(.kling-gone,.kling-compare)>.jp-OutputArea-child>"
    ".jupyter-widgets:not(:has(*)),.jp-OutputArea:has(.kn-run,.kn-vote-view) .kling-gone{display:none}</style>"
)


def offline_html(text: str) -> str:
    """Return a note for a notebook without its kernel; the live view hides it."""
    return render_template("offline", text=text) + NO_WIDGET_ERROR


_SAFE = "If the kernel has stopped, nothing is lost and nothing is paid for twice:"


def running_html(states: Sequence[Progress]) -> str:
    """Return a note on how to find running jobs again if their kernel stops."""
    live = [state for state in states if not state.ended]
    if len(live) == 1:
        title = shorten(live[0].title, 90)
        found = f'kn.resume() follows “{title}” while it is running, and kn.log()["{live[0].id}"] shows the result.'
    else:
        found = f"kn.resume() follows those of these {len(live)} jobs that are still running; kn.log() has the others."
    return offline_html(f"{_SAFE} {found}")


#: The MIME type by which the extension for JupyterLab finds the clips of a cell whose kernel has ended.
JOBS_TYPE = "application/vnd.kling_nb.jobs+json"


def jobs_json(states: Sequence[Progress], log: str) -> dict[str, Any]:
    """Return which jobs a cell waits for, and the path of their log from the notebook."""
    return {"version": 1, "log": log, "jobs": [state.id for state in states]}


def running_plan_html(plan_id: str) -> str:
    """Return a note on how to continue the run of a plan if its kernel stops."""
    plan = f'kn.plan("{plan_id}")'
    return offline_html(f"{_SAFE} {plan} shows the finished clips, and {plan}.run() generates the rest.")
