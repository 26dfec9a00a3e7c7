# The public names of `kn`, listed once: `names.py` reads this file.

from typing import Any

from .connection import HubAccess
from .engine.job import Clip as Clip
from .engine.job import Job as Job
from .engine.loop import allow_nested_loops as allow_nested_loops
from .models.record import Record as Record
from .models.request import Element as Element
from .models.request import Omni as Omni
from .models.request import ReferenceToVideo as ReferenceToVideo
from .models.request import Shot as Shot
from .preferences import Options
from .selection import LogAccess
from .shared import configure as configure
from .studio import Studio as Studio
from .ui.library import Elements, Presets

from . import errors as errors  # isort: skip
from . import scoring as scoring  # isort: skip

__version__: str
_studio: Studio

# Make
panel = _studio.panel
storyboard = _studio.storyboard
generate = _studio.generate
preview = _studio.preview
lint = _studio.lint
price = _studio.price
resume = _studio.resume
gather = _studio.gather
fit_image = _studio.fit_image

# Look
log: LogAccess
gallery = _studio.gallery
compare = _studio.compare

# Plan
sweep = _studio.sweep
plan = _studio.plan
budget = _studio.budget
spending = _studio.spending

# Exchange
from_video = _studio.from_video
import_log = _studio.import_log

# Team
team = _studio.team
sync = _studio.sync
share = _studio.share

# Settings and saved values
presets: Presets
elements: Elements
options: Options
hub: HubAccess

def load_ipython_extension(shell: Any) -> None: ...
