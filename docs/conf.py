"""Sphinx configuration of the documentation. The site is built offline and reads nothing from elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from kling_nb import __version__  # noqa: E402 - the package of this checkout, not an installed one

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
add_module_names = False
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_selector = "div:not(.no-copy) > div.highlight > pre"

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
