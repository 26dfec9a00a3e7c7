"""Sphinx configuration of the documentation. The site is built offline and reads nothing from elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# Formats that no notebook uses: jsonschema would take over a second to load them.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import kn  # noqa: E402 - docs/kn.py: the public names, of the package in this checkout

from kling_nb import __version__  # noqa: E402

kn.install()

project = "kling_nb"
author = "the kling_nb developers"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "executed",  # docs/executed.py: the notebooks as pages
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"
default_role = "code"  # docstrings write `name` as the rest of the documentation does
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_selector = "div:not(.no-copy) > div.highlight > pre"

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = "kling_nb"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["extra.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f5d8a", "color-brand-content": "#2f5d8a"},
    "dark_css_variables": {"color-brand-primary": "#8ab8e6", "color-brand-content": "#8ab8e6"},
}

#: `KLING_NB_DOCS_EXECUTE=0` renders the notebooks without running them, which takes a second.
executed_run = os.environ.get("KLING_NB_DOCS_EXECUTE", "1") != "0"


#: Classes without a signature: users never construct them, or a table in the page lists their fields.
NO_SIGNATURE = {
    *(
        "Selection",
        "Chosen",
        "Plan",
        "Run",
        "Job",
        "Clip",
        "Record",
        "Presets",
        "Elements",
        "Options",
        "Footage",
        "Jobs",
        "Estimate",
        "Problem",
    ),
    *("ReferenceToVideo", "Omni", "Shot", "Element"),
}


def setup(app: Sphinx) -> None:
    """Adjust what autodoc shows."""
    properties: dict[str, list[str]] = {}

    def keep(_app: Sphinx, what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
        if what in ("property", "attribute"):
            properties[name], lines[:] = lines[:], []

    def restore(_app: Sphinx, _what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
        lines[:] = properties.pop(name, lines)

    # Napoleon takes the words before a colon in a property's docstring for its type.
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)
    app.connect("autodoc-process-signature", _signature)


def _signature(
    _app: Sphinx, what: str, name: str, _object: Any, _options: Any, signature: str | None, _returns: str | None
) -> tuple[str, None] | None:
    hidden = what == "exception" or (what == "class" and name.split(".")[-1] in NO_SIGNATURE)
    return ("", None) if hidden and signature else None
