"""kling_nb: make videos with Kling O3 Pro from a notebook, and keep the record of how.

Importing starts nothing: no thread, no socket, no file, no look at the environment. Each name is loaded when it is
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kling_nb import errors as errors
    from kling_nb._default import configure as configure
    from kling_nb.engine.job import Clip as Clip
    from kling_nb.engine.job import Job as Job
    from kling_nb.engine.job import Jobs as Jobs
    from kling_nb.engine.loop import allow_nested_loops as allow_nested_loops
    from kling_nb.models.problem import Problem as Problem
    from kling_nb.models.record import Record as Record
    from kling_nb.models.request import Element as Element
    from kling_nb.models.request import HubRequest as HubRequest
    from kling_nb.models.request import Omni as Omni
    from kling_nb.models.request import ReferenceToVideo as ReferenceToVideo
    from kling_nb.models.request import Shot as Shot
    from kling_nb.scoring.measure import Measure as Measure
    from kling_nb.scoring.registry import scorer as scorer
    from kling_nb.scoring.registry import scorers as scorers
    from kling_nb.studio import Studio as Studio

    _shared = Studio()
    compare, gallery = _shared.compare, _shared.gallery
    diff, from_video, replay = _shared.diff, _shared.from_video, _shared.replay
    export, import_log, methods = _shared.export, _shared.import_log, _shared.methods
    elements, options, presets = _shared.elements, _shared.options, _shared.presets
    changes = _shared.changes
    budget, plan, spending, sweep = _shared.budget, _shared.plan, _shared.spending, _shared.sweep
    ranking, score, vote = _shared.ranking, _shared.score, _shared.vote
    gather, generate, hub, lint = _shared.gather, _shared.generate, _shared.hub, _shared.lint
    log, mend, model = _shared.log, _shared.mend, _shared.model
    panel, preview, price, resume = _shared.panel, _shared.preview, _shared.price, _shared.resume

__version__ = "0.1.0"

_VERBS = (
    "budget",
    "changes",
    "compare",
    "diff",
    "export",
    "from_video",
    "gallery",
    "gather",
    "generate",
    "hub",
    "import_log",
    "lint",
    "log",
    "mend",
    "methods",
    "model",
    "panel",
    "plan",
    "preview",
    "price",
    "ranking",
    "replay",
    "resume",
    "score",
    "spending",
    "sweep",
    "vote",
)
#: What is no verb: asked of the shared studio each time, since `kn.configure` makes another.
_PLACES = ("elements", "options", "presets")
_HOMES = {
    "allow_nested_loops": "kling_nb.engine.loop",
    "configure": "kling_nb._default",
    "Clip": "kling_nb.engine.job",
    "Element": "kling_nb.models.request",
    "HubRequest": "kling_nb.models.request",
    "Job": "kling_nb.engine.job",
    "Jobs": "kling_nb.engine.job",
    "Measure": "kling_nb.scoring.measure",
    "Omni": "kling_nb.models.request",
    "Problem": "kling_nb.models.problem",
    "Record": "kling_nb.models.record",
    "ReferenceToVideo": "kling_nb.models.request",
    "Shot": "kling_nb.models.request",
    "Studio": "kling_nb.studio",
    "scorer": "kling_nb.scoring.registry",
    "scorers": "kling_nb.scoring.registry",
}

__all__ = [  # noqa: RUF022 - the verbs first: what a user types; pyright reads the names above
    "allow_nested_loops",
    "budget",
    "changes",
    "compare",
    "configure",
    "diff",
    "elements",
    "errors",
    "export",
    "from_video",
    "gallery",
    "gather",
    "generate",
    "hub",
    "import_log",
    "lint",
    "log",
    "mend",
    "methods",
    "model",
    "options",
    "panel",
    "plan",
    "presets",
    "preview",
    "price",
    "ranking",
    "replay",
    "resume",
    "score",
    "scorer",
    "scorers",
    "spending",
    "sweep",
    "vote",
    "Clip",
    "Element",
    "HubRequest",
    "Job",
    "Jobs",
    "Measure",
    "Omni",
    "Problem",
    "Record",
    "ReferenceToVideo",
    "Shot",
    "Studio",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _VERBS:
        value: Any = import_module("kling_nb._default").verb(name)
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _PLACES:
        return getattr(import_module("kling_nb._default").studio(), name)
    elif name == "errors":
        return import_module("kling_nb.errors")
    else:
        raise AttributeError(f"module 'kling_nb' has no attribute {name!r}")
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """Add `%%kling` and `%kling` to a shell: what `%load_ext kling_nb` calls."""
    from kling_nb.magics import load

    load(shell)


def __dir__() -> list[str]:
    return sorted(__all__)
