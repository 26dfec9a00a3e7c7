"""What a request will cost, as a `Decimal` in US dollars, and where that figure comes from (HUB_API section 6)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kling_nb.models.rules import Draft, seconds_of

#: Prices as the documentation gave them on this day, for when the hub's catalogue cannot be read.
BUNDLED_ON = datetime.date(2026, 11, 22)
_BUNDLED_PER_SECOND = {
    "kling-video-o3-pro-reference-to-video": "0.224",
    "kling-video-v2-6-pro-text-to-video": "0.070",
    "kling-video-v2-6-pro-image-to-video": "0.070",
    "kling-video-v3-pro-motion-control": "0.168",
    "kling-video-o3-pro-video-to-video-edit": "0.336",
}


class Pricing(BaseModel):
    """A model's `pricing` as the catalogue gives it; rates in dollars per second of output."""

    model_config = ConfigDict(extra="allow", frozen=True)

    method: str = ""
    cost_per_second: Decimal | None = None
    cost_per_second_with_audio: Decimal | None = None
    cost_per_second_high_res: Decimal | None = None
    cost_per_second_by_resolution: Mapping[str, Decimal] = Field(default_factory=dict[str, Decimal])

    @field_validator(
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
        """Whether its method is one that a price can be worked out from."""
        return self.method in ("per_video_output_second", "")

    def rate(self, draft: Draft) -> Decimal | None:
        """Dollars per second for a draft: the dearest of the rates that apply to it, None when none is given."""
        if not self.known:
            return None
        resolution = draft.get("resolution") or "1080p"  # what Omni makes when none is asked for
        rates = [self.cost_per_second_by_resolution.get(str(resolution))]
        if rates == [None]:
            rates = [self.cost_per_second_high_res if resolution == "4k" else None, self.cost_per_second]
        if draft.get("generate_audio"):
            rates.append(self.cost_per_second_with_audio)
        return max((rate for rate in rates if rate is not None), default=None)


class Estimate(BaseModel):
    """A price before it is paid: dollars for one generation and for all of them.

    `each` and `total` are None when nobody gave a rate; `rate` is dollars per second. `source` is `live` (the hub's
    catalogue), `bundled` (the documentation's figure of `as_of`), `free` (the local hub) or `unknown`.
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

    def __str__(self) -> str:
        if self.source == "free":
            return "free"
        if self.total is None:
            return "price unknown"
        times = f" ({self.generations} × ${self.each:.2f})" if self.generations > 1 else ""
        return f"${self.total:.2f}{times}"

    @property
    def elsewhere(self) -> Decimal | None:
        """What the same request costs where it is not free: dollars in all, None when no rate is known."""
        return None if self.rate is None else self.rate * self.seconds * self.generations

    @property
    def origin(self) -> str:
        """Where the figure comes from, in words."""
        match self.source:
            case "live":
                return "the hub's live price"
            case "bundled":
                return f"the documentation's price of {self.as_of}"
            case "free":
                asks = "" if self.elsewhere is None else f"; the real one asks ${self.elsewhere:.2f}"
                return f"the local hub costs nothing{asks}"
            case "unknown":
                return "nobody gives a price for this"

    def __repr__(self) -> str:
        return f"<{self} · {self.seconds} s · {self.origin}>"


def estimate(draft: Draft, *, pricing: Pricing | None = None, free: bool = False) -> Estimate:
    """Return what a draft will cost: its seconds times the rate, times its generations.

    A draft may be half finished; a length that is no number yet counts as the default. With `free` (the local hub)
    the price is zero whatever the rate. An edited video is as long as its source, which nobody has measured here:
    its price is unknown. So is that of a model whose live pricing goes by another method than seconds.
    """
    seconds, generations = _whole(_seconds(draft), 5), _whole(draft.get("num_generations", 1), 1)
    live = pricing.rate(draft) if pricing else None
    bundled = None if pricing and not pricing.known else _BUNDLED_PER_SECOND.get(str(draft.get("model")))
    rate = live if live is not None else (Decimal(bundled) if bundled else None)
    source = "live" if live is not None else ("bundled" if bundled else "unknown")
    if _as_long_as_its_source(draft):
        rate, source = None, "unknown"
    each = None if rate is None else rate * seconds
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
    )


def _as_long_as_its_source(draft: Draft) -> bool:
    return draft.get("input_video") is not None and draft.get("video_mode", "edit") == "edit"


def _rate(value: Any) -> Decimal | None:
    """Read a rate exactly; what is no price (text, NaN, less than nothing) is as good as none."""
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
    """Read a whole number above zero; some schemas give seconds as text: `"10"`."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default
