"""The beginning of every interpreter that the tests start."""

import sys

# Formats that no test asks for: beside JupyterLab, jsonschema would take over a second in each process to load them.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# The command line of httpx, which brings in rich and Pygments.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
