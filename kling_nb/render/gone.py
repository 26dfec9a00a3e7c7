"""What a cell says when the kernel that showed something live in it is gone."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.models.progress import Progress
from kling_nb.render.page import fill
from kling_nb.render.words import shortened

#: Jupyter's own "Error displaying widget: model not found" frightens whoever has just paid. A trusted notebook keeps
#: this rule; an untrusted one shows no widget in the first place. A widget that lives has elements in it.
NO_ALARM = (
    "<style>.jp-OutputArea:has(.kling-gone,.kling-compare)>.jp-OutputArea-child "
    ".jupyter-widgets:not(:has(*)){display:none}</style>"
)


def gone_html(words: str) -> str:
    """Return a calm line, plain text given; the style sheet of the live view hides it while that lives."""
    return fill("gone", words=words) + NO_ALARM


def under_way_html(states: Sequence[Progress]) -> str:
    """Return what to do about jobs that are under way, should their kernel have ended."""
    live = [state for state in states if not state.ended]
    what = f"“{shortened(live[0].title, 90)}”" if len(live) == 1 else f"these {len(live)} clips"
    said = "Should the kernel have ended meanwhile: nothing is lost, and nothing is paid for twice."
    return gone_html(f"{said} kn.resume() brings in {what}.")
