"""A model's own schema: what it has against a request, and what is said of one that cannot be used."""

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
def test_a_schema_that_leads_nowhere_is_a_doubt_and_its_field_takes_json(definitions: Any) -> None:
    entry = model(definitions)
    [problem] = lint({"model": "zz", "prompt": "a", "x": 1}, entry)
    assert (problem.severity, problem.remedy) == ("warning", "check the fields yourself")
    assert "cannot be used" in problem.message
    assert {spec.name: spec.kind for spec in form_of("zz", entry).specs}["x"] == "json"


def test_a_field_that_may_be_anything_takes_json() -> None:
    entry = model({"A": True})
    assert lint({"model": "zz", "prompt": "a", "x": 1}, entry) == []
    assert {spec.name: spec.kind for spec in form_of("zz", entry).specs}["x"] == "json"


def test_a_reference_is_followed_through_others() -> None:
    entry = model({"A": {"$ref": "#/$defs/B", "title": "Seed"}, "B": {"type": "integer", "title": "B"}})
    assert [p.path for p in lint({"model": "zz", "prompt": "a", "x": "one"}, entry)] == [("x",)]
    spec = form_of("zz", entry).spec("x")
    assert spec and (spec.kind, spec.title) == ("integer", "Seed")
