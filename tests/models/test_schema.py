"""Models with unusual schemas: checks of requests, and forms."""

from __future__ import annotations

from typing import Any

import pytest

from kling_nb.models.catalogue import Model
from kling_nb.models.lint import lint
from kling_nb.models.specs import form_of

FIELD = {"$ref": "#/$defs/A"}


def model(definitions: Any) -> Model:
    schema = {"type": "object", "$defs": definitions, "properties": {"prompt": {"type": "string"}, "x": FIELD}}
    return Model.read({"id": "zz", "request_schema": schema})


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "definitions",
    [
        {"A": FIELD},
        {"A": {"$ref": "#/$defs/B"}, "B": FIELD},
        {"A": {"anyOf": [FIELD, {"type": "null"}]}},
        {"A": {"allOf": [FIELD]}},
        {"A": {"$ref": "#/$defs/none"}},
        {"A": 5},
        {"A": deep(600)},
        {},
        [],
    ],
    ids=["itself", "in a circle", "either itself", "all of itself", "nowhere", "a number", "deep", "none", "a list"],
)
def test_an_unusable_schema_is_a_warning_and_its_field_accepts_json(definitions: Any) -> None:
    entry = model(definitions)
    [problem] = lint({"model": "zz", "prompt": "a", "x": 1}, entry)
    assert (problem.severity, problem.path) == ("warning", ())
    assert {spec.name: spec.kind for spec in form_of("zz", entry).specs}["x"] == "json"


def test_a_field_of_any_type_accepts_json() -> None:
    entry = model({"A": True})
    assert lint({"model": "zz", "prompt": "a", "x": 1}, entry) == []
    assert {spec.name: spec.kind for spec in form_of("zz", entry).specs}["x"] == "json"


def test_a_reference_to_a_reference_is_resolved() -> None:
    entry = model({"A": {"$ref": "#/$defs/B", "title": "Seed"}, "B": {"type": "integer", "title": "B"}})
    assert [p.path for p in lint({"model": "zz", "prompt": "a", "x": "one"}, entry)] == [("x",)]
    spec = form_of("zz", entry).spec("x")
    assert spec and (spec.kind, spec.title) == ("integer", "Seed")
