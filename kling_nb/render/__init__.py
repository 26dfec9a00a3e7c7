"""Records, states and errors as static HTML and plain text: the outputs that a notebook keeps.

Everything here is pure: values come in, text goes out. No network, no clock (`now` is a parameter), no widgets. The
HTML has inline styles and no scripts, so that it looks the same in trusted and untrusted notebooks, in light and dark
themes, on nbconvert pages and without a kernel; see `page`.
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
from kling_nb.render.formatting import estimate_note, format_clock
from kling_nb.render.images import Links, small_poster, small_thumbnail, tile_image
from kling_nb.render.page import stack_cards
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
    "stack_cards",
    "tile_image",
]
