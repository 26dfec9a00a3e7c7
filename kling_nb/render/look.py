"""The few styles that all static forms share.

Three facts decide them (measured in JupyterLab 4.6). An untrusted notebook keeps inline styles, but only properties
and values on its list: `var(…)`, `aspect-ratio` and `user-select` are dropped, so they are only ever a bonus. Jupyter's
own CSS sets the colours and fonts of what is inside an output, and floats `dt` (hence grids). And MathJax reads `$…$`
there, so that two prices would become a formula.

So text inherits its colour, quiet text is the same colour at less opacity, and lines and tints are translucent:
one spelling is right on white and on black. Prices are kept from MathJax by the class it passes over.
"""

from __future__ import annotations

LINE = "1px solid #80808047"
TINT = "#8080801a"
ACCENT = "#2196f32b"

#: Jupyter's MathJax (3 and 4 in Lab, 2 in nbconvert) leaves elements of these classes alone.
NO_MATH = "tex2jax_ignore mathjax_ignore"

STYLES: dict[str, str] = {
    "frame": f"border:{LINE};border-radius:8px;overflow:hidden;max-width:964px;margin:8px 2px 2px;"
    "font-size:13px;line-height:1.5;"
    "overflow-wrap:break-word;font-family:var(--jp-ui-font-family,system-ui,sans-serif)",
    "quiet": "opacity:.68",
    "mono": "font-family:monospace;font-size:12px",
    "grid": "display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px",
    "chip": f"background:{ACCENT};border-radius:4px;padding:1px 4px",
    "badge": "border:1px solid #d99a1c;border-radius:99px;padding:1px 9px;font-size:12px;white-space:nowrap",
    # Afloat: in JupyterLab the mouse does not reach a video that stands in the flow (Chromium 150). A place of its own
    # would do too, but is taken from it in a notebook that is not trusted. What comes after it has to clear it: a row
    # of its own kind (flex, grid) would stand beside it, in no width.
    "film": "float:left;background:#000",
    "shot": f"background:{ACCENT};text-align:center;font-size:11px;padding:2px 0;overflow:hidden",
    "code": f"word-break:normal;line-height:1.5;margin:6px 0;padding:8px 10px;background:{TINT}",
    "fold": "cursor:pointer;opacity:.68",
    "stars": "color:#b07a10",
    "line": LINE,
    "tint": TINT,
}

#: The colour of a state: a bar at the side, a dot; never of text, so that contrast is the theme's own.
TONES = {"good": "#2e9e5b", "bad": "#e0533d", "doubt": "#d99a1c", "busy": "#2196f3", "off": "#8a8a8a"}

STATUS_TONES = {
    "succeeded": "good",
    "failed": "bad",
    "cancelled": "off",
    "uncertain": "doubt",
}


def tone_of(status: str) -> str:
    """Return the colour of a job's state."""
    return TONES[STATUS_TONES.get(status, "busy")]
