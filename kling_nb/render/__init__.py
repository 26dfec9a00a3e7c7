"""What a cell keeps: records, states and faults as static HTML and plain text.

Everything here is pure: values come in, text goes out. No network, no clock (`now` is a parameter), no widget. The HTML
carries its own inline styles and no script, so that it looks the same in a trusted and in an untrusted notebook, in a
light and in a dark theme, in an nbconvert page and with no kernel at all. `look` says how.
"""

from kling_nb.render.card import RECORD_TYPE, call_text, card_bundle, card_html, card_text, failure_html
from kling_nb.render.compare import (
    LETTERS,
    SHEET,
    Difference,
    compare_html,
    compare_text,
    diff,
    differences,
    gallery_html,
    gallery_text,
)
from kling_nb.render.figures import LimitRow, SpendingRow, limits_html, limits_text, spending_html, spending_text
from kling_nb.render.images import small_poster, small_thumbnail, tile_still
from kling_nb.render.links import Links
from kling_nb.render.page import stacked
from kling_nb.render.plan import MatrixSheet, PlanSheet, Tally, Tile, matrix_html, matrix_text, plan_html, plan_text
from kling_nb.render.tables import (
    HubInfo,
    KeptRow,
    hub_html,
    hub_text,
    kept_html,
    kept_text,
    problems_html,
    problems_text,
    progress_html,
    progress_text,
    records_html,
    records_text,
)
from kling_nb.render.words import clock, estimate_note, estimate_text

__all__ = [
    "LETTERS",
    "RECORD_TYPE",
    "SHEET",
    "Difference",
    "HubInfo",
    "KeptRow",
    "LimitRow",
    "Links",
    "MatrixSheet",
    "PlanSheet",
    "SpendingRow",
    "Tally",
    "Tile",
    "call_text",
    "card_bundle",
    "card_html",
    "card_text",
    "clock",
    "compare_html",
    "compare_text",
    "diff",
    "differences",
    "estimate_note",
    "estimate_text",
    "failure_html",
    "gallery_html",
    "gallery_text",
    "hub_html",
    "hub_text",
    "kept_html",
    "kept_text",
    "limits_html",
    "limits_text",
    "matrix_html",
    "matrix_text",
    "plan_html",
    "plan_text",
    "problems_html",
    "problems_text",
    "progress_html",
    "progress_text",
    "records_html",
    "records_text",
    "small_poster",
    "small_thumbnail",
    "spending_html",
    "spending_text",
    "stacked",
    "tile_still",
]
