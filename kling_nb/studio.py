"""`Studio`: a hub, a log, and every verb over them. `kn.` speaks to a shared one."""

from __future__ import annotations

from kling_nb.looking import Looking
from kling_nb.researching import Researching
from kling_nb.sharing import Sharing


class Studio(Researching, Looking, Sharing):
    """A hub, a log, and everything between them. Making one opens nothing; the first use does.

    `key`, `hub` and `log` overrule the environment (`OXEN_API_KEY`, `KLING_NB_HUB`, `KLING_NB_LOG`). `upload` says how
    local pictures reach the hub; `deadline` is how long, in seconds, a job may run before the hub is asked to stop it.
    """
