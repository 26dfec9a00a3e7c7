"""A model as the hub's catalogue describes it (HUB_API section 6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Self, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from rfc8785 import CanonicalizationError

from kling_nb.models.asset import sha256
from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import Pricing
from kling_nb.models.request import OMNI, TARGET

#: What the hub's own reference lists in a withdrawn model's place.
SUCCESSORS = {TARGET: OMNI}


class Model(BaseModel):
    """A catalogue entry; `request_schema` is JSON Schema with the hub's extras, `raw` the entry as it came."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    id: str
    display_name: str = ""
    summary: str | None = None
    description: str | None = None
    model_type: str | None = None
    endpoint: str | None = None
    developer: str | None = None
    pricing: Pricing | None = None
    request_schema: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("request_schema", "json_request_schema")
    )
    capabilities: dict[str, Any] = Field(default_factory=dict)
    raw: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Validate one entry and keep its JSON. Raises `ValidationError` for one without an id."""
        given = {name: value for name, value in raw.items() if value is not None}
        for name in ("pricing", "capabilities", "request_schema", "json_request_schema"):
            if not isinstance(given.get(name, {}), dict):
                del given[name]
        return cls.model_validate({**given, "raw": raw})

    def with_defaults(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        """Return a draft with what the model takes for the fields that are not there, as its schema says."""
        specs = self.request_schema.get("properties")
        named = specs.items() if isinstance(specs, Mapping) else ()
        defaults = {name: spec["default"] for name, spec in named if isinstance(spec, Mapping) and "default" in spec}
        return {**defaults, **draft}

    @property
    def makes(self) -> str:
        """What comes out: `video`, `image`, or what else the catalogue says; `video` when it says nothing."""
        output = self.capabilities.get("output")
        made = [str(each) for each in cast(list[Any], output)] if isinstance(output, list) else []
        return next((each for each in ("video", "image") if each in made), made[0] if made else "video")

    @cached_property
    def schema_digest(self) -> str | None:
        """`sha256:` of the canonical schema, kept in records; None when the catalogue gave none."""
        if not self.request_schema:
            return None
        try:
            return sha256(canonical_json(self.request_schema))
        except CanonicalizationError:  # a `maximum` of 2**64 - 1 for a seed, which RFC 8785 has no number for
            return sha256(json.dumps(self.request_schema, sort_keys=True).encode())


def alternatives(model: str, ids: Iterable[str]) -> list[str]:
    """Name up to four models to use instead: the known successor first, then those of the nearest name."""
    known = [name for name in ids if name != model]
    first = [SUCCESSORS[model]] if SUCCESSORS.get(model) in known else []
    near = [name for name in get_close_matches(model, known, n=5, cutoff=0.4) if name not in first]
    return [*first, *near][:4]
