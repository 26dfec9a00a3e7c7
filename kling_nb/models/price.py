"""The price of a request in US dollars, and its source."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kling_nb.models.asset import Asset
from kling_nb.models.rules import Draft, edits_video, seconds_of

#: The documentation's prices of this day, used while the hub's catalogue cannot be read.
BUNDLED_ON = datetime.date(2026, 11, 22)
_BUNDLED_PER_SECOND = {
    "kling-video-o3-pro-reference-to-video": "0.224",
    "kling-video-v2-6-pro-text-to-video": "0.070",
    "kling-video-v2-6-pro-image-to-video": "0.070",
    "kling-video-v3-pro-motion-control": "0.168",
    "kling-video-o3-pro-video-to-video-edit": "0.336",
}


class Pricing(BaseModel):
    """A model's `pricing` in the catalogue, with rates in dollars per second of output or per image."""

    model_config = ConfigDict(extra="allow", frozen=True)

    method: str = ""
    cost_per_second: Decimal | None = None
    cost_per_second_with_audio: Decimal | None = None
    cost_per_second_high_res: Decimal | None = None
    cost_per_second_by_resolution: Mapping[str, Decimal] = Field(default_factory=dict[str, Decimal])
    cost_per_image: Decimal | None = None

    @field_validator(
        "cost_per_image",
        "cost_per_second",
        "cost_per_second_with_audio",
        "cost_per_second_high_res",
        mode="before",
    )
    @classmethod
    def _exact(cls, value: Any) -> Decimal | None:
        return _rate(value)

    @field_validator("cost_per_second_by_resolution", mode="before")
    @classmethod
    def _exact_each(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return {}
        rates = {str(key): _rate(rate) for key, rate in value.items()}
        return {key: rate for key, rate in rates.items() if rate is not None}

    @field_validator("method", mode="before")
    @classmethod
    def _named(cls, value: Any) -> str:
        return "" if value is None else str(value)

    @property
    def known(self) -> bool:
        """Whether a price can be computed with its method."""
        return self.method in ("per_video_output_second", "") or self.by_image

    @property
    def by_image(self) -> bool:
        """Whether it is a price per image, not per second."""
        return self.method == "per_image"

    @property
    def text(self) -> str:
        """The rates as text, `$0.168–0.42 / s`; empty if none is known."""
        seconds = [self.cost_per_second, self.cost_per_second_high_res, *self.cost_per_second_by_resolution.values()]
        each = [self.cost_per_image] if self.by_image else [*seconds, self.cost_per_second_with_audio]
        rates = sorted({rate.normalize() for rate in each if rate is not None})
        if not rates or not self.known:
            return ""
        most = f"–{rates[-1]:f}" if len(rates) > 1 else ""
        return f"${rates[0]:f}{most} / {'image' if self.by_image else 's'}"

    def rate(self, draft: Draft) -> Decimal | None:
        """Return dollars per second (or image) for a draft: the highest rate that applies, None if none is known."""
        if not self.known:
            return None
        if self.by_image:
            return self.cost_per_image
        resolution = draft.get("resolution") or "1080p"  # the default of Omni
        rates = [self.cost_per_second_by_resolution.get(str(resolution))]
        if rates == [None]:
            rates = [self.cost_per_second_high_res if resolution == "4k" else None, self.cost_per_second]
        if draft.get("generate_audio"):
            rates.append(self.cost_per_second_with_audio)
        return max((rate for rate in rates if rate is not None), default=None)


def distinct_amounts(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Return two amounts of dollars with two decimals, or as many as it takes for them to differ."""
    for digits in range(2, 7):
        texts = f"{one:.{digits}f}", f"{other:.{digits}f}"
        if texts[0] != texts[1]:
            return texts
    return str(one), str(other)


class Estimate(BaseModel):
    """The price of a request, before it is sent.

    Attributes:
        each: Dollars for one generation; None if no rate is known.
        total: Dollars for all generations; None if no rate is known.
        seconds: The length of a clip; 0 for an image, and for a clip as long as a source of unknown length.
        rate: Dollars for each `unit`.
        source: `live` (the hub's catalogue), `bundled` (the documentation's price of the day `as_of`), `free` (the
            local hub) or `unknown`.
    """

    model_config = ConfigDict(frozen=True)

    each: Decimal | None
    total: Decimal | None
    seconds: int
    generations: int
    rate: Decimal | None
    source: Literal["live", "bundled", "free", "unknown"]
    as_of: datetime.date | None = None
    currency: Literal["USD"] = "USD"
    unit: Literal["second", "image"] = "second"

    def __str__(self) -> str:
        if self.source == "free":
            return "free"
        if self.total is None:
            return "price unknown"
        times = f" ({self.generations} × ${self.each:.2f})" if self.generations > 1 else ""
        return f"${self.total:.2f}{times}"

    @property
    def list_price(self) -> Decimal | None:
        """The price of the same request at a paid hub, in dollars; None if no rate is known."""
        if self.rate is None:
            return None
        return self.rate * self.generations * (1 if self.unit == "image" else self.seconds)

    @property
    def source_text(self) -> str:
        """The source, as the user reads it."""
        match self.source:
            case "live":
                return "the hub's live price"
            case "bundled":
                return f"the documentation's price of {self.as_of}"
            case "free":
                paid = "" if self.list_price is None else f"; the paid hub charges ${self.list_price:.2f}"
                return f"the local hub is free{paid}"
            case "unknown":
                return "no price is known for this model"

    def __repr__(self) -> str:
        length = f"{self.seconds} s · " if self.seconds else ""
        return f"<{self} · {length}{self.source_text}>"


def estimate(
    draft: Draft, *, pricing: Pricing | None = None, free: bool = False, schema: Mapping[str, Any] | None = None
) -> Estimate:
    """Return the price of a draft: its seconds times the rate, times its generations.

    An edited video is as long as its source. A local file is measured, in whole seconds rounded up; the length of a
    URL is not known, and neither is its price.

    Args:
        draft: The fields, finished or not; a length that is not a number counts as the default.
        pricing: The catalogue's pricing. By an unknown method, the price is unknown.
        free: Whether the hub is free, whatever the rate.
        schema: The model's `request_schema`, which tells a model that only edits videos.
    """
    by_image = pricing is not None and pricing.by_image
    seconds = 0 if by_image else _whole(_seconds(draft), 5)
    generations = _whole(draft.get("num_generations", 1), 1)
    live = pricing.rate(draft) if pricing else None
    bundled = None if pricing and not pricing.known else _BUNDLED_PER_SECOND.get(str(draft.get("model")))
    rate = live if live is not None else (Decimal(bundled) if bundled else None)
    source = "live" if live is not None else ("bundled" if bundled else "unknown")
    if keeps_length(draft, schema):
        seconds = _seconds_of_source(draft)
        rate, source = (rate, source) if seconds else (None, "unknown")
    each = None if rate is None else rate * (1 if by_image else seconds)
    if free:
        each, source = Decimal(0), "free"
    return Estimate(
        each=each,
        total=None if each is None else each * generations,
        seconds=seconds,
        generations=generations,
        rate=rate,
        source=source,
        as_of=BUNDLED_ON if source == "bundled" else None,
        unit="image" if by_image else "second",
    )


def bundled_rate(model: str) -> Decimal | None:
    """Return the documentation's price of a model in dollars per second, or None."""
    rate = _BUNDLED_PER_SECOND.get(model)
    return Decimal(rate) if rate else None


def keeps_length(draft: Draft, schema: Mapping[str, Any] | None = None) -> bool:
    """Return whether the clip will be as long as its source, even if the source is not given yet."""
    fields, required = (schema or {}).get("properties") or {}, (schema or {}).get("required") or ()
    if "input_video" in required and "duration" not in fields:
        return True
    return edits_video(draft)


def rate_text(draft: Draft, pricing: Pricing | None, *, free: bool = False) -> str:
    """Return the price of a clip that is as long as its source: the rate, without a sum."""
    if free:
        return "as long as your video · the local hub is free"
    live = pricing.rate(draft) if pricing else None
    rate = live if live is not None else bundled_rate(str(draft.get("model")))
    return "as long as your video" + ("" if rate is None else f", ${rate.normalize():f} per second")


def _seconds_of_source(draft: Draft) -> int:
    """Return the length of a local source in whole seconds, 0 if it is not known."""
    source = draft.get("input_video")
    facts = source.video_facts if isinstance(source, Asset) else None
    # A file's last frame ends a little after the second that it was made for.
    return math.ceil(facts.seconds - 0.1) if facts else 0


def _rate(value: Any) -> Decimal | None:
    """Read a rate exactly; None for an invalid one (text, NaN, a negative number)."""
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and rate >= 0 and not isinstance(value, bool) else None


def _seconds(draft: Draft) -> Any:
    try:
        return seconds_of(draft)
    except (TypeError, AttributeError):
        return draft.get("duration", 5)


def _whole(value: Any, default: int) -> int:
    """Read a positive whole number, which some schemas give as text: `"10"`."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default
