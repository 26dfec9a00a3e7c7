"""The beginning of every interpreter that the tests start."""

import os
import sys

# Formats that no test asks for: beside JupyterLab, jsonschema would take over a second in each process to load them.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# The command line of httpx, which brings in rich and Pygments.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
# Local hubs draw at the lowest priority, so as not to slow a notebook down. Beside two browsers they would hardly draw.
os.nice = lambda increment, /: 0
