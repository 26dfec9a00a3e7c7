"""What a cell says when the kernel that showed something live in it is gone."""

from __future__ import annotations

from collections.abc import Sequence

from kling_nb.models.progress import Progress
from kling_nb.render.page import fill
from kling_nb.render.words import shortened

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
        found = f'“{shortened(live[0].title, 90)}” while it is under way; after that kn.log()["{live[0].id}"] has it.'
    else:
        found = f"what of these {len(live)} clips is under way; kn.log() has those that have ended."
    return gone_html(f"{_KEPT} kn.resume() brings in {found}")


def run_html(plan_id: str) -> str:
    """Return how to go on with the run of a plan, should its kernel have ended."""
    plan = f'kn.plan("{plan_id}")'
    return gone_html(f"{_KEPT} {plan} shows what is made, and {plan}.run() goes on with the rest.")
