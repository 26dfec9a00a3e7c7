"""fal's OpenAPI of an endpoint as a model of the catalogue, whose form and checks come from its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kling_nb.models.fields import media_kind
from kling_nb.models.schema import Schema, list_in, mapping_in

_SCHEMAS = "#/components/schemas/"
#: References are followed to this depth; no input nests as deep.
_DEEPEST = 6


def entry_of(endpoint: str, metadata: Schema, openapi: Schema | None) -> dict[str, Any]:
    """Return fal's description of an endpoint in the shape of a catalogue's entry."""
    schema = input_schema(openapi) if openapi else {}
    category = str(metadata.get("category") or "")
    made = category.rpartition("-to-")[2]
    return {
        "id": endpoint,
        "display_name": str(metadata.get("display_name") or endpoint),
        "summary": str(metadata.get("description") or "") or None,
        "model_type": category or None,
        "capabilities": {"output": [made if made in ("video", "image", "audio") else "video"]},
        "request_schema": schema,
    }


def input_schema(openapi: Schema) -> dict[str, Any]:
    """Return the input's JSON Schema, with fal's extras as the ones that forms read; empty if there is none."""
    schemas = mapping_in(mapping_in(openapi, "components"), "schemas")
    # Helper schemas end in `Input` too: the input is the one with the most properties.
    inputs = [cast(Schema, each) for name, each in schemas.items() if name.endswith("Input") and isinstance(each, dict)]
    found = max(inputs, key=lambda each: len(mapping_in(each, "properties")), default=None)
    if found is None:
        return {}
    order = [str(name) for name in list_in(found, "x-fal-order-properties")]
    properties = {
        str(name): _field(str(name), spec, schemas, order) for name, spec in mapping_in(found, "properties").items()
    }
    known = {key: value for key, value in found.items() if not key.startswith("x-")}
    return {**known, "properties": properties}


def _field(name: str, spec: Any, schemas: Schema, order: list[str]) -> dict[str, Any]:
    field = dict(_inlined(spec, schemas, _DEEPEST))
    if name in order:
        field["x-order"] = order.index(name)
    return _with_media(name, field)


def _with_media(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """Mark each string that is the address of an image or a video, also inside lists and elements."""
    field, kind = dict(field), media_kind(name)
    if kind and field.get("type") == "string":
        field |= {"format": "uri", "renderType": f"{kind}-url"}
    if isinstance(items := field.get("items"), Mapping):
        field["items"] = _with_media(name, cast(Mapping[str, Any], items))
    if parts := mapping_in(field, "properties"):
        field["properties"] = {part: _with_media(str(part), dict(spec)) for part, spec in parts.items()}
    return field


def _inlined(spec: Any, schemas: Schema, depth: int) -> Any:
    """Return a schema with its references to other schemas of the document resolved."""
    if isinstance(spec, list):
        return [_inlined(each, schemas, depth) for each in cast(list[Any], spec)]
    if not isinstance(spec, Mapping):
        return spec
    plain, ref = cast(Schema, spec), str(spec.get("$ref") or "")
    if ref.startswith(_SCHEMAS) and depth:
        target = schemas.get(ref.removeprefix(_SCHEMAS))
        rest = {key: value for key, value in plain.items() if key != "$ref"}
        return {**_inlined(target if isinstance(target, Mapping) else {}, schemas, depth - 1), **rest}
    parts = {key: _inlined(value, schemas, depth) for key, value in plain.items() if key != "$ref"}
    if len(wholes := list_in(parts, "allOf")) == 1 and isinstance(wholes[0], Mapping):  # pydantic 1's nested model
        parts = {**wholes[0], **{key: value for key, value in parts.items() if key != "allOf"}}
    return parts
