"""Make videos with Kling O3 Pro from a notebook, and keep the record of how each was made.

Compose    kn.panel()                          build a request in a cell, with its price and its errors
           kn.storyboard("[0-3s] She wakes.")  a script or a shot list as shots
           kn.lint("…", duration=5)            every error and warning, nothing sent
           kn.price("…", duration=5)           what it costs
           kn.preview("…", duration=5)         a free animatic
Generate   job = kn.generate("@Image1 waves", input_image=["face.png"], duration=5)
           clip = job.result()                 wait; or: clip = await job
           kn.resume()                         after a restart: every unfinished job
           kn.gather(one, two).result()        wait for several
Look       clip.path, clip.duration            the file and its figures
           clip.frame(-1)                      the last frame, as a start frame of the next clip
           kn.log("camera", stars=4)           the records of the log, newest first
           kn.gallery()                        search, play, rate and tag
           kn.compare(one, two)                play clips in sync, with their differences
Repeat     clip.record.rerun(duration=8)       the same request with a change
           kn.sweep("a {mood} boat", mood=["calm", "wild"]).run()
Spend      kn.budget(day="20")                 limits
           kn.spending()                       what was spent
Share      clip.save("boat.mp4")               the clip with its record inside
           kn.log().export("study.zip")        everything, for others
           kn.import_log("study.zip")          the records of others; kn.from_video("boat.mp4") reads one clip's
Set up     kn.hub(), kn.configure(key="…"), kn.options

`help(kn.generate)` describes one of them.

Importing starts nothing: no thread, no socket, no file, no environment variable read. Each name is loaded when it is
first used; `__init__.pyi` lists them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("_") and name != "__all__":
        raise AttributeError(f"module 'kling_nb' has no attribute {name!r}")
    names = import_module("kling_nb.names")  # an import statement would call this function for `names`
    if name == "__all__":
        return list(names.names())
    value, lasting = names.lookup(name)
    if lasting:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(import_module("kling_nb.names").names())


def load_ipython_extension(shell: Any) -> None:
    """Add the magics `%%kling` and `%kling` to an IPython shell: what `%load_ext kling_nb` calls."""
    import_module("kling_nb.magics").load(shell)
