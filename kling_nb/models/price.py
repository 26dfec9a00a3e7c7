"""The price of a request in US dollars, and its source."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Annotated, Any, Literal, cast

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from kling_nb.models.request import model_of
from kling_nb.models.rules import Draft
from kling_nb.models.schema import Schema
from kling_nb.models.usage import QUALITIES, RESOLUTIONS, Amount, Usage


def _rate(value: Any) -> Decimal | None:
    """Read a rate exactly; None for an invalid one (text, NaN, a negative number)."""
    try:
        rate = Decimal(str(value))
    except (InvalidOperation, ValueError):  # the latter for an integer of 5,000 digits
        return None
    return rate if rate.is_finite() and rate >= 0 and not isinstance(value, bool) else None


def _largest(value: Any) -> Decimal | None:
    """Return the largest rate in a value, or in the tables and lists in it; None without one."""
    match value:
        case Mapping():
            parts = list(cast(Mapping[Any, Any], value).values())
        case list():
            parts = cast(list[Any], value)
        case _:
            return _rate(value)
    return max((rate for part in parts if (rate := _largest(part)) is not None), default=None)


def _rates(value: Any) -> dict[str, Any]:
    """Read a table of rates, perhaps with a row of them for each quality."""
    known = cast(Mapping[Any, Any], value).items() if isinstance(value, Mapping) else ()
    table = {str(key): _rates(rate) if isinstance(rate, Mapping) else _rate(rate) for key, rate in known}
    return {key: rate for key, rate in table.items() if rate is not None and rate != {}}


Rate = Annotated[Decimal | None, BeforeValidator(_rate)]
Rates = Annotated[dict[str, Any], BeforeValidator(_rates)]

#: What each method counts. A price by any other method is unknown.
_UNITS: Mapping[str, Literal["output", "input", "both", "image"]] = {
    "": "output",
    "per_video_output_second": "output",
    "per_video_input_second": "input",
    "per_video_input_output_second": "both",
    "per_video_input_and_output_second": "both",
    "per_image": "image",
}


class Pricing(BaseModel):
    """A model's `pricing` in the catalogue, with rates in dollars per second or per image.

    Attributes:
        method: What is counted: seconds of output (by default), of the input videos, of both, or images.
        minimum_seconds: The least number of seconds that a generation is billed for.
        minimum_cost: The least that a generation costs.
        readable: Whether each of its costs is known here, and was read.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    method: Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value).strip().lower())] = ""
    cost_per_second: Rate = None
    cost_per_second_with_audio: Rate = None
    cost_per_second_high_res: Rate = None
    cost_per_second_by_resolution: Rates = Field(default_factory=dict[str, Any])
    cost_per_image: Rate = None
    cost_per_image_grid: Rates = Field(default_factory=dict[str, Any])
    minimum_seconds: Rate = Field(default=None, validation_alias=AliasChoices("minimum_seconds", "min_seconds"))
    minimum_cost: Rate = Field(default=None, validation_alias=AliasChoices("minimum_cost", "min_cost"))

    readable: bool = True

    @model_validator(mode="before")
    @classmethod
    def _look(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        fields = {str(name): value for name, value in cast(Mapping[Any, Any], given).items()}
        in_dollars = str(fields.get("currency") or "USD").upper() == "USD"
        return {**fields, "readable": in_dollars and not any(_is_lost(*field) for field in fields.items())}

    @property
    def known(self) -> bool:
        """Whether a price can be computed: by a known method, and with costs that were all read."""
        return self.method in _UNITS and self.readable

    @property
    def by_image(self) -> bool:
        """Whether it is a price per image, not per second; without a method, the costs say so."""
        seconds = self.cost_per_second is not None or bool(self.cost_per_second_by_resolution)
        is_image = self.cost_per_image is not None or bool(self.cost_per_image_grid)
        return self.method == "per_image" or (self.method == "" and is_image and not seconds)

    @property
    def text(self) -> str:
        """The rates as text, `$0.168–0.42 / s`; empty if none is known."""
        rates = sorted({rate.normalize() for rate in self._all_rates()})
        if not rates or not self.known:
            return ""
        most = f"–{rates[-1]:f}" if len(rates) > 1 else ""
        return f"${rates[0]:f}{most} / {'image' if self.by_image else 's'}"

    def rate(self, draft: Draft, schema: Schema | None = None) -> Decimal | None:
        """Return dollars per second (or image) for a draft: the highest rate that applies, None if none is known."""
        return self.rate_for(Usage(draft, schema))

    def rate_for(self, usage: Usage) -> Decimal | None:
        """Return dollars per second (or image): the highest rate that applies, None if none is known."""
        if not self.known:
            return None
        if self.by_image:
            return self._image_rate(usage)
        rates: list[Decimal | None] = [self.cost_per_second]
        if self.cost_per_second_by_resolution:
            found = usage.entries(self.cost_per_second_by_resolution, RESOLUTIONS)
            if found is None:
                return None
            rates = [_largest(entry) for entry in found]
        elif usage.is_high_resolution():
            rates.append(self.cost_per_second_high_res)
        if usage.has_sound():
            rates.append(self.cost_per_second_with_audio)
        rate = max((rate for rate in rates if rate is not None), default=None)
        is_placeholder = rate == 0 and any(self._all_rates())
        return None if is_placeholder else rate

    def cost(self, usage: Usage, rate: Decimal, length: Decimal) -> Decimal | None:
        """Return the dollars for one generation; None if the length of an input video is needed and not known."""
        count = usage.count().value
        if self.by_image:
            return max(rate * count, self.minimum_cost or Decimal(0))
        unit, source = _UNITS[self.method], usage.source()
        if unit != "output" and source is None:
            return None
        seconds = (source or 0) * (unit != "output") + length * (unit != "input")
        return max(rate * max(seconds, self.minimum_seconds or Decimal(0)) * count, self.minimum_cost or Decimal(0))

    def _image_rate(self, usage: Usage) -> Decimal | None:
        if not self.cost_per_image_grid:
            return self.cost_per_image
        rows = [row for row in self.cost_per_image_grid.values() if isinstance(row, dict)]
        chosen = usage.entries(self.cost_per_image_grid, QUALITIES) if rows else [self.cost_per_image_grid]
        found = [
            usage.entries(cast(dict[str, Any], row), RESOLUTIONS) if isinstance(row, dict) else [row]
            for row in chosen or [{}]
        ]
        rates = [rate for each in found for rate in each or ()]
        return None if None in found or not rates else max(rates)

    def _all_rates(self) -> list[Decimal]:
        if self.by_image:
            rates = [self.cost_per_image, *_leaves(self.cost_per_image_grid)]
        else:
            rates = [self.cost_per_second, self.cost_per_second_high_res, self.cost_per_second_with_audio]
            rates += _leaves(self.cost_per_second_by_resolution)
        return [rate for rate in rates if rate is not None]


def _leaves(table: Mapping[str, Any]) -> list[Decimal]:
    return [rate for each in table.values() for rate in (_leaves(each) if isinstance(each, dict) else [each])]


def _is_lost(name: str, value: Any) -> bool:
    """Return whether a field of a pricing is about costs, and cannot be counted here."""
    if name in ("cost_per_second_by_resolution", "cost_per_image_grid"):
        return value is not None and not isinstance(value, Mapping)
    if name in Pricing.model_fields or name in ("min_seconds", "min_cost"):
        return name not in ("method", "readable") and value is not None and _rate(value) is None
    words = ("cost", "price", "fee", "charge", "minimum", "multiplier", "increment", "rounding")
    return any(word in name.lower() for word in words) and bool(_largest(value))


#: The documentation's prices of this day, used while the hub's catalogue cannot be read.
BUNDLED_ON = datetime.date(2026, 11, 22)
_BUNDLED = {
    "kling-video-o3-pro-reference-to-video": Pricing(cost_per_second=Decimal("0.224")),
    "kling-video-v2-6-pro-text-to-video": Pricing(
        cost_per_second=Decimal("0.070"), cost_per_second_with_audio=Decimal("0.140")
    ),
    "kling-video-v2-6-pro-image-to-video": Pricing(
        cost_per_second=Decimal("0.070"), cost_per_second_with_audio=Decimal("0.140")
    ),
    "kling-video-v3-pro-motion-control": Pricing(cost_per_second=Decimal("0.168")),
    "kling-video-o3-pro-video-to-video-edit": Pricing(cost_per_second=Decimal("0.336")),
}


def format_money(amount: Decimal) -> str:
    """Return dollars as `$1.12`, or with the digits below a cent that it has, `$0.672`, so that none is lost.

    At most three decimals, below ten cents four, rounded up, since a price is never said too low.
    """
    places = 4 if 0 < amount < Decimal("0.1") else 3
    exact = amount.quantize(Decimal(1).scaleb(-places), ROUND_CEILING)
    cents = exact.quantize(Decimal("0.01"))
    return f"${cents:,.2f}" if cents == exact else f"${exact:,.{places}f}".rstrip("0")


def distinct_amounts(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Return two amounts of dollars with two decimals, or as many as it takes for them to differ."""
    for digits in range(2, 7):
        texts = f"{one:.{digits}f}", f"{other:.{digits}f}"
        if texts[0] != texts[1]:
            return texts
    return str(one), str(other)


class Estimate(BaseModel):
    """The price of a request, before it is sent. It is never below what will be billed, as far as that is known.

    Attributes:
        each: Dollars for one generation; None if no rate is known.
        total: Dollars for all generations; None if no rate is known.
        seconds: The length of a clip; 0 for an image, and for a clip as long as a source of unknown length.
        rate: Dollars for each `unit`.
        source: `live` (the hub's catalogue), `bundled` (the documentation's price of the day `as_of`), `free` (the
            local hub) or `unknown`.
        most: Whether it is the highest price, of a request that leaves its length or another field to the model.
        listed: Dollars for one generation at a paid hub, if `each` is not.
    """

    model_config = ConfigDict(frozen=True)

    each: Decimal | None
    total: Decimal | None
    seconds: int | float
    generations: int
    rate: Decimal | None
    source: Literal["live", "bundled", "free", "unknown"]
    as_of: datetime.date | None = None
    currency: Literal["USD"] = "USD"
    unit: Literal["second", "image"] = "second"
    most: bool = False
    listed: Decimal | None = None

    def __str__(self) -> str:
        times = f" ({self.generations} × {format_money(self.each)})" if self.each and self.generations > 1 else ""
        return f"{self._text(self.total)}{times}"

    @property
    def each_text(self) -> str:
        """The price of one generation: `$1.12`, `up to $6.00`, `free` or `price unknown`."""
        return self._text(self.each)

    def _text(self, amount: Decimal | None) -> str:
        if self.source == "free":
            return "free"
        if amount is None:
            return "price unknown"
        return f"{'up to ' if self.most else ''}{format_money(amount)}"

    @property
    def list_price(self) -> Decimal | None:
        """The price of the same request at a paid hub, in dollars; None if no rate is known."""
        each = self.listed if self.source == "free" else self.each
        return None if each is None else each * self.generations

    @property
    def source_text(self) -> str:
        """The source, as the user reads it."""
        match self.source:
            case "live":
                return "the hub's live price"
            case "bundled":
                return f"the documentation's price of {self.as_of}"
            case "free":
                most = "up to " if self.most else ""
                paid = (
                    "" if self.list_price is None else f"; the paid hub charges {most}{format_money(self.list_price)}"
                )
                return f"the local hub is free{paid}"
            case "unknown":
                return "no price is known for this request"

    def __repr__(self) -> str:
        length = f"{round(self.seconds, 2)} s · " if self.seconds else ""
        return f"<{self} · {length}{self.source_text}>"


def estimate(
    draft: Draft,
    *,
    pricing: Pricing | None = None,
    free: bool = False,
    schema: Schema | None = None,
    seen_on: datetime.date | None = None,
) -> Estimate:
    """Return the price of a draft: its seconds times the rate, times its generations.

    Fields that are left out count with the defaults of the schema, and a length that the model chooses counts as the
    longest one. An edited video is as long as its source. A local file is measured, in whole seconds rounded up; the
    length of a URL is not known, and neither is its price.

    Args:
        draft: The fields, finished or not.
        pricing: The catalogue's pricing. By an unknown method, or without a rate for the request, the price is
            unknown.
        free: Whether the hub is free, whatever the rate.
        schema: The model's `request_schema`, for a model without a class here.
        seen_on: The day of a pricing that is not live.
    """
    usage = Usage(draft, schema)
    used, source = (pricing, "bundled") if pricing and seen_on else _pricing_for(draft, pricing)
    rate, by_image = used.rate_for(usage), used.by_image
    length = Amount(usage.source() or Decimal(0)) if usage.keeps_length() else usage.length()
    seconds = Decimal(0) if by_image or length is None else length.value
    known = rate is not None and (by_image or seconds > 0)
    listed = used.cost(usage, rate, seconds) if known and rate is not None else None
    if listed is None:
        rate, source = None, "unknown"
    each = Decimal(0) if free else listed
    generations = _whole(draft.get("num_generations", 1))
    return Estimate(
        each=each,
        total=None if each is None else each * generations,
        seconds=int(seconds) if seconds == int(seconds) else float(seconds),
        generations=generations,
        rate=rate,
        source="free" if free else source,
        as_of=(seen_on or BUNDLED_ON) if source == "bundled" and not free else None,
        unit="image" if by_image else "second",
        most=listed is not None and (usage.count().most or bool(not by_image and length and length.most)),
        listed=listed if free else None,
    )


def rates_text(model: str, pricing: Pricing | None) -> str:
    """Return a model's rates as text, those of the catalogue or the documentation; empty if none is known."""
    return _pricing_for({"model": model}, pricing)[0].text


def keeps_length(draft: Draft, schema: Schema | None = None) -> bool:
    """Return whether the clip will be as long as its source, even if the source is not given yet."""
    return Usage(draft, schema).keeps_length()


def rate_text(draft: Draft, pricing: Pricing | None, *, free: bool = False, schema: Schema | None = None) -> str:
    """Return the price of a clip that is as long as its source: the rate, without a sum."""
    if free:
        return "as long as your video · the local hub is free"
    rate = _pricing_for(draft, pricing)[0].rate(draft, schema)
    return "as long as your video" + ("" if rate is None else f", ${rate.normalize():f} per second")


def _pricing_for(draft: Draft, live: Pricing | None) -> tuple[Pricing, Literal["live", "bundled", "unknown"]]:
    """Return the catalogue's pricing if it has a rate or an unknown method, else the documentation's."""
    if live and not (live.known and not live.text):
        return live, "live"
    bundled = _BUNDLED.get(model_of(draft))
    return (bundled, "bundled") if bundled else (live or Pricing(), "unknown")


def _whole(value: Any) -> int:
    """Read a positive whole number, which some schemas give as text: `"4"`; 1 for any other value."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1
