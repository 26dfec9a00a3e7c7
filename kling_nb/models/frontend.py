"""`Frontend`: the application that shows a kernel's outputs, recognized by its traces, and what it can show.

Pure: the environment and the names in the user's namespace are arguments.
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
#: A part of the session names that VS Code invents at a Jupyter server.
_AT_A_SERVER = "-jvsc-"


@dataclass(frozen=True)
class Frontend:
    """One kind of frontend.

    Attributes:
        links: Whether a path relative to the notebook reaches the kernel's files.
        embeds: Whether clips are embedded by default.
        hint: What a linked clip needs in order to play.
        silent: The audio codecs that it plays without sound.
        updates: Whether an output can be replaced after its cell has ended.
    """

    name: str
    links: bool = True
    embeds: bool = False
    hint: str = ""
    silent: frozenset[str] = frozenset()
    updates: bool = True


_SILENT = frozenset({"aac"})  # microsoft/vscode issue 167685

#: JupyterLab, Notebook 7, and others that serve the notebook's folder; also runs without a frontend.
JUPYTER = Frontend("Jupyter")
#: It resolves paths from the notebook's folder.
VSCODE = Frontend("VS Code", silent=_SILENT)
#: The kernel's files are on the server, the notebook is on another machine.
VSCODE_AT_A_SERVER = Frontend("VS Code", links=False, embeds=True, silent=_SILENT)
#: Its outputs are in frames of another origin, which does not serve the kernel's files.
COLAB = Frontend("Colab", links=False, embeds=True)
#: It only serves files of its allowlist, and a served page is not a file that grows.
VOILA = Frontend(
    "Voila",
    embeds=True,
    updates=False,
    hint="Voila serves it when started with --VoilaConfiguration.file_allowlist='.*\\.(png|jpg|gif|svg|mp4)'.",
)

#: Its pages do not serve the notebook's folder, and outputs change through widgets only.
MARIMO = Frontend("marimo", links=False, embeds=True, updates=False)


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
    """Return the notebook's path, None if it is not known; `vscode` is the value of VS Code's own variable."""
    for name in (vscode, environment.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb") and Path(name).is_absolute():
            path = Path(name)
            return path.with_name(f"{path.stem.partition(_AT_A_SERVER)[0]}{path.suffix}")
    return None


MEGABYTE = 1_000_000
#: The most that one output embeds, in megabytes, by default and at all. A browser takes 2 s and 8 s to show them.
CAP, LARGEST = 10.0, 50.0


class Video(NamedTuple):
    """A clip on a page: the address that plays it, the one that opens its file, and a hint for the viewer."""

    src: str | None = None
    href: str | None = None
    hint: str = ""


@dataclass(frozen=True)
class Embed:
    """Whether clips are embedded: `auto` (if links do not work), `never` or `always`, up to `cap` MB per output."""

    mode: str = "auto"
    cap: float = CAP

    @classmethod
    def parse(cls, value: Any) -> Embed:
        """Read `"auto"`, `"never"`, `"always"`, or a cap in megabytes. Raises `SettingsError` for anything else."""
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
                    f"Invalid value for embed: {value!r}. Use 'auto', 'never', 'always', or the megabytes that one "
                    "output may embed (kn.options.embed = 20)."
                )

    @property
    def value(self) -> str | float:
        """The value that `parse` reads."""
        return self.cap if self.mode == "always" and self.cap != LARGEST else self.mode

    def wanted(self, frontend: Frontend) -> bool:
        """Return whether clips are embedded in this frontend."""
        return self.mode == "always" or (self.mode == "auto" and frontend.embeds)

    def chosen(self, sizes: Sequence[int | None], frontend: Frontend) -> list[bool]:
        """Return which clips of an output are embedded, in order, by their sizes in bytes (None: missing)."""
        left = self.cap * MEGABYTE if self.wanted(frontend) else -1.0
        chosen: list[bool] = []
        for size in sizes:
            chosen.append(size is not None and size <= left)
            left -= size or 0 if chosen[-1] else 0
        return chosen
