"""fal's prices of the Kling family, by tier and sound (fal-api.md section 10), and what its price API adds to them.

The price API has one base price for each endpoint, which does not include sound. A price is therefore known for the
endpoints of the table, and for others only if nothing in their schema can make them cost more.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from kling_nb.models.fal import FAMILY, endpoint_of
from kling_nb.models.price import Pricing
from kling_nb.models.problem import Draft
from kling_nb.models.schema import Schema, mapping_in


class _Row(NamedTuple):
    silent: str
    sound: str
    voice: str | None = None


#: The day on which the prices were seen.
SEEN_ON = datetime.date(2026, 8, 22)
_MODES = ("text-to-video", "image-to-video", "reference-to-video")
_EDITS = ("video-to-video/edit", "video-to-video/reference")
_TABLE: Mapping[str, _Row] = {
    **{f"{FAMILY}/o3/standard/{mode}": _Row("0.084", "0.112") for mode in _MODES},
    **{f"{FAMILY}/o3/pro/{mode}": _Row("0.112", "0.14") for mode in _MODES},
    **{f"{FAMILY}/o3/4k/{mode}": _Row("0.42", "0.42") for mode in _MODES},
    **{f"{FAMILY}/o3/standard/{mode}": _Row("0.126", "0.126") for mode in _EDITS},
    **{f"{FAMILY}/o3/pro/{mode}": _Row("0.168", "0.168") for mode in _EDITS},
    **{f"{FAMILY}/v3/pro/{mode}": _Row("0.112", "0.168", "0.196") for mode in _MODES[:2]},
}
#: Parts of the names of fields that may change the price in ways that the price API does not show.
_PRICED = ("audio", "sound", "voice", "resolution", "quality", "mode", "tier", "fps", "frame_rate", "speed", "num_")


class FalPricing(NamedTuple):
    """The pricing of a draft; `seen_on` is None if it is live."""

    pricing: Pricing
    seen_on: datetime.date | None = None


def pricing_of(draft: Draft, base: Mapping[str, Any] | None = None, schema: Schema | None = None) -> FalPricing:
    """Return the pricing of a draft at fal; one without costs if no price is known.

    Args:
        draft: The fields, finished or not.
        base: The price API's entry of the endpoint.
        schema: The input schema of the endpoint, if it is not in the table.
    """
    live, row = _per_second(base), _TABLE.get(endpoint_of(draft) or "")
    if row is None:
        names = [name.lower() for name in mapping_in(schema or {}, "properties")]
        certain = bool(names) and not any(part in name for name in names for part in _PRICED)
        return FalPricing(Pricing(cost_per_second=live) if live and certain else Pricing())
    silent, sound = Decimal(row.silent), Decimal(row.sound)
    if _has_voice(draft):
        if row.voice is None:
            return FalPricing(Pricing())
        sound = Decimal(row.voice)
    if live is None:
        return FalPricing(Pricing(cost_per_second=silent, cost_per_second_with_audio=sound), SEEN_ON)
    with_sound = max(sound, live + sound - silent)
    return FalPricing(Pricing(cost_per_second=live, cost_per_second_with_audio=with_sound))


def _per_second(base: Mapping[str, Any] | None) -> Decimal | None:
    """Return the dollars per second that the price API gives; None for any other unit."""
    if not base or str(base.get("unit", "")).lower() not in ("second", "seconds"):
        return None
    try:
        price = Decimal(str(base.get("unit_price")))
    except InvalidOperation:
        return None
    in_dollars = str(base.get("currency") or "USD").upper() == "USD"
    return price if in_dollars and price.is_finite() and price > 0 else None


def _has_voice(draft: Draft) -> bool:
    elements = draft.get("elements") or ()
    named = any(isinstance(element, Mapping) and element.get("voice_id") for element in elements)
    return named or bool(draft.get("voice_ids"))
