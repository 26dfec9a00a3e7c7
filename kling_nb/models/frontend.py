"""`Frontend`: what shows this kernel's outputs, told from what it leaves behind for the kernel, and what it can show.

Pure: the environment and the names in the user's namespace come in. What each one sets and shows stands in its row.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kling_nb.errors import SettingsError

#: The variable in which VS Code tells a kernel the path of its notebook.
VSCODE_NOTEBOOK = "__vsc_ipynb_file__"
#: The mark in the session names that VS Code makes up at a Jupyter server.
_AT_A_SERVER = "-jvsc-"


@dataclass(frozen=True)
class Frontend:
    """One kind of frontend.

    `links`: whether a path relative to the notebook reaches the kernel's files at all; `embeds`: whether clips are
    better embedded unless the user says otherwise; `hint`: what a linked clip needs there; `silent`: the audio codecs
    that it plays without a sound; `updates`: whether an output can still be replaced when its cell has ended.
    """

    name: str
    links: bool = True
    embeds: bool = False
    hint: str = ""
    silent: frozenset[str] = frozenset()
    updates: bool = True


_SILENT = frozenset({"aac"})  # microsoft/vscode issue 167685

#: JupyterLab, Notebook 7, and whatever else serves the notebook's folder; also runs that nobody looks at.
JUPYTER = Frontend("Jupyter")
#: Its notebook view resolves paths from the notebook's folder.
VSCODE = Frontend("VS Code", silent=_SILENT)
#: The kernel's files are on the server's machine, the notebook is on another.
VSCODE_AT_A_SERVER = Frontend("VS Code", links=False, embeds=True, silent=_SILENT)
#: Its outputs live in frames of a foreign origin, which serves no files of the kernel.
COLAB = Frontend("Colab", links=False, embeds=True)
#: It serves only the files that it was told to; a page of it is no file that could grow.
VOILA = Frontend(
    "Voila",
    embeds=True,
    updates=False,
    hint="Voila serves it when started with --VoilaConfiguration.file_allowlist='.*\\.(png|jpg|gif|svg|mp4)'.",
)


def frontend_of(environment: Mapping[str, str], names: Container[str] = ()) -> Frontend:
    """Return the frontend of a kernel with this environment and these names in its user's namespace.

    Colab sets `COLAB_RELEASE_TAG`; Voila `VOILA_REQUEST_URL`; VS Code puts its own variables into the environment and
    the notebook's path into the namespace, and calls its sessions at a Jupyter server `…-jvsc-….ipynb`.
    """
    colab = bool(environment.get("COLAB_RELEASE_TAG"))
    at_a_server = _AT_A_SERVER in environment.get("JPY_SESSION_NAME", "")
    if at_a_server or VSCODE_NOTEBOOK in names or environment.get("VSCODE_PID") or environment.get("VSCODE_CWD"):
        return VSCODE_AT_A_SERVER if at_a_server or colab else VSCODE
    if colab:
        return COLAB
    return VOILA if environment.get("VOILA_REQUEST_URL") else JUPYTER


def notebook_of(environment: Mapping[str, str], vscode: object = None) -> Path | None:
    """Return the notebook's path, None where nobody says; `vscode` is the value of VS Code's own variable."""
    for said in (vscode, environment.get("JPY_SESSION_NAME")):
        if isinstance(said, str) and said.endswith(".ipynb") and Path(said).is_absolute():
            path = Path(said)
            return path.with_name(f"{path.stem.partition(_AT_A_SERVER)[0]}{path.suffix}")
    return None


MEGABYTE = 1_000_000
#: What one output embeds at most, in megabytes: where links cannot work, and when all is to be embedded. A browser
#: takes about 2 s to show the first, 8 s for the second.
CAP, LARGEST = 10.0, 50.0


class Video(NamedTuple):
    """A clip as a page can show it: what plays it, what opens its file, and what its viewer should know."""

    src: str | None = None
    href: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class Embed:
    """The user's word: `auto` (where links cannot work), `never` or `always`; at most `cap` megabytes an output."""

    mode: str = "auto"
    cap: float = CAP

    @classmethod
    def parse(cls, value: Any) -> Embed:
        """Read `"auto"`, `"never"`, `"always"`, or megabytes: always, up to so many. Raises `SettingsError`."""
        match value:
            case None | "auto":
                return cls()
            case "never":
                return cls("never")
            case "always":
                return cls("always", LARGEST)
            case int() | float() if not isinstance(value, bool) and math.isfinite(value) and value > 0:
                return cls("always", float(value))
            case _:
                raise SettingsError(
                    f"embed is {value!r}, which says nothing: give 'auto', 'never', 'always', or the megabytes that "
                    "one output may embed (kn.options.embed = 20)"
                )

    @property
    def value(self) -> str | float:
        """The same as `parse` reads it."""
        return self.cap if self.mode == "always" and self.cap != LARGEST else self.mode

    def wanted(self, frontend: Frontend) -> bool:
        """Whether clips are to be embedded there at all."""
        return self.mode == "always" or (self.mode == "auto" and frontend.embeds)

    def chosen(self, sizes: Sequence[int | None], frontend: Frontend) -> list[bool]:
        """Return which of one output's clips are embedded, by their sizes in bytes (None: not there), first come."""
        left = self.cap * MEGABYTE if self.wanted(frontend) else -1.0
        chosen: list[bool] = []
        for size in sizes:
            chosen.append(size is not None and size <= left)
            left -= size or 0 if chosen[-1] else 0
        return chosen
