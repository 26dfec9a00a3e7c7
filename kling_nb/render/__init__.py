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
from kling_nb.render.formatting import estimate_note, estimate_text, format_clock
from kling_nb.render.images import small_poster, small_thumbnail, tile_still
from kling_nb.render.links import Links
from kling_nb.render.page import stacked
from kling_nb.render.plan import MatrixSheet, PlanSheet, Tile, TileState, matrix_html, matrix_text, plan_html, plan_text
from kling_nb.render.tables import (
    HubInfo,
    SavedRow,
    hub_html,
    hub_text,
    models_html,
    models_text,
    problems_html,
    problems_text,
    progress_html,
    progress_text,
    records_html,
    records_text,
    saved_html,
    saved_text,
)

__all__ = [
    "LETTERS",
    "RECORD_TYPE",
    "SHEET",
    "Difference",
    "HubInfo",
    "LimitRow",
    "Links",
    "MatrixSheet",
    "PlanSheet",
    "SavedRow",
    "SpendingRow",
    "Tile",
    "TileState",
    "call_text",
    "card_bundle",
    "card_html",
    "card_text",
    "compare_html",
    "compare_text",
    "diff",
    "differences",
    "estimate_note",
    "estimate_text",
    "failure_html",
    "format_clock",
    "gallery_html",
    "gallery_text",
    "hub_html",
    "hub_text",
    "limits_html",
    "limits_text",
    "matrix_html",
    "matrix_text",
    "models_html",
    "models_text",
    "plan_html",
    "plan_text",
    "problems_html",
    "problems_text",
    "progress_html",
    "progress_text",
    "records_html",
    "records_text",
    "saved_html",
    "saved_text",
    "small_poster",
    "small_thumbnail",
    "spending_html",
    "spending_text",
    "stacked",
    "tile_still",
]
