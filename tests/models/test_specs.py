"""Field specs of schemas and classes, values carried to another form, and changes of schemas."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.hubs.catalogue import bundled
from kling_nb.models.carry import carry_over, read_unsupported
from kling_nb.models.catalogue import Changes, Model, schema_changes
from kling_nb.models.request import OMNI, TARGET, Omni, ReferenceToVideo
from kling_nb.models.specs import Form, form_of, specs_of

IMAGE, EDIT = "kling-video-o3-pro-image-to-video", "kling-video-o3-pro-video-to-video-edit"
TEXT, MOTION = "kling-video-o3-pro-text-to-video", "kling-video-v3-pro-motion-control"
O1, CFG, FLUX = (
    "kling-video-o1-reference-to-video",
    "kling-video-v2-6-pro-image-to-video",
    "black-forest-labs-flux-2-klein-4b",
)
FORMS = {name: form_of(name, entry) for name, entry in bundled().items() if entry.makes in ("video", "image")}


def kinds(model: str) -> dict[str, str]:
    return {spec.name: spec.kind for spec in FORMS[model].specs}


def test_the_forms_of_the_classes_have_all_their_fields() -> None:
    ours = {"model", "hub", "response_format", "target_namespace"}
    assert set(kinds(TARGET)) == set(ReferenceToVideo.model_fields) - ours
    assert set(kinds(OMNI)) == set(Omni.model_fields) - ours
    assert kinds(TARGET)["multi_prompt"] == "shots"
    assert kinds(OMNI)["input_video"] == "video"
    duration = FORMS[OMNI].spec("duration")
    assert duration and (duration.minimum, duration.maximum, duration.default) == (3, 15, 5)


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        (IMAGE, "input_image", "image"),
        (IMAGE, "prompt", "prompt"),
        (O1, "duration", "choice"),
        (O1, "elements", "elements"),
        (CFG, "cfg_scale", "number"),
        (CFG, "generate_audio", "toggle"),
        (EDIT, "input_video", "video"),
        (EDIT, "input_image", "images"),
        (FLUX, "aspect_ratio", "choice"),
    ],
)
def test_the_kind_of_a_field_follows_from_its_schema(model: str, name: str, kind: str) -> None:
    assert kinds(model)[name] == kind


def test_fields_are_in_their_order_without_hidden_ones() -> None:
    assert [spec.name for spec in FORMS[CFG].specs][:3] == ["prompt", "input_image", "negative_prompt"]
    assert "response_format" not in kinds(CFG)
    scale = FORMS[CFG].spec("cfg_scale")
    assert scale and not scale.basic and (scale.minimum, scale.maximum, scale.default) == (0, 10, 0.5)


def test_nullable_types_and_references_are_resolved() -> None:
    schema = {
        "$defs": {"size": {"type": "integer", "minimum": 1}},
        "properties": {
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "steps": {"type": ["integer", "null"]},
            "size": {"$ref": "#/$defs/size", "default": 4},
            "mask_image": {"type": "string", "format": "uri"},
            "style": {"type": "object"},
            "site": {"type": "string", "format": "uri"},
        },
    }
    found = {spec.name: spec for spec in specs_of(schema)}
    assert [spec.kind for spec in found.values()] == ["integer", "integer", "integer", "image", "json", "text"]
    assert (found["size"].minimum, found["size"].default) == (1, 4)


def test_the_form_of_an_unknown_model_has_a_prompt() -> None:
    form = form_of("nobody-knows")
    assert [spec.name for spec in form.specs] == ["prompt", "num_generations"] and not form.known


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=4),
    max_leaves=12,
)
words = st.sampled_from(
    [
        "type",
        "enum",
        "properties",
        "items",
        "anyOf",
        "$ref",
        "$defs",
        "required",
        "basic",
        "minimum",
        "x-order",
        "title",
    ]
)
wild = st.dictionaries(words, json, max_size=6)


@settings(max_examples=20)
@given(wild, st.dictionaries(st.text(max_size=8), wild | json, max_size=4))
def test_any_garbage_makes_a_form(schema: dict[str, Any], properties: dict[str, Any]) -> None:
    for spec in specs_of({**schema, "properties": properties}):
        assert spec.to_json()["name"] in properties
    assert all(str(change) for change in schema_changes(schema, {**schema, "properties": properties}))


def blank(form: Form) -> dict[str, Any]:
    return {spec.name: spec.unset for spec in form.specs}


def value_for(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for values of a form, legal or unset."""
    images = st.sampled_from(["a1", "a2", "a3"])

    def of(spec: Any) -> st.SearchStrategy[Any]:
        match spec.kind:
            case "choice":
                set_ = st.sampled_from(spec.choices)
            case "integer":
                set_ = st.integers(int(spec.minimum or 0), int(spec.maximum or 9))
            case "number":
                set_ = st.floats(spec.minimum or 0, spec.maximum or 9)
            case "toggle":
                set_ = st.booleans()
            case "images":
                set_ = st.lists(images, min_size=1, max_size=3, unique=True)
            case "image" | "video":
                set_ = images
            case "elements" | "shots":
                set_ = st.just([{"prompt": "x", "duration": 3}])
            case _:
                set_ = st.text("abc", min_size=1, max_size=5)
        # A value that equals the default counts as unset, and comes back unset.
        return st.just(spec.unset) | set_.map(lambda value: spec.unset if value == spec.default else value)

    return st.fixed_dictionaries({spec.name: of(spec) for spec in form.specs})


a_form = st.sampled_from(list(FORMS.values()))


@settings(max_examples=20)
@given(st.data(), a_form, st.lists(a_form, min_size=1, max_size=3))
def test_the_values_come_back_with_their_form(data: st.DataObject, first: Form, others: list[Form]) -> None:
    given_ = data.draw(value_for(first))
    values, aside, at = given_, {}, first
    for form in [*others, first]:
        values, aside = carry_over(values, at, form, aside)
        at = form
    assert values == given_ | {"num_generations": 1}


def over(start: dict[str, Any], *models: str) -> dict[str, Any]:
    """Return the values after a sequence of models."""
    values, aside = start, {}
    for old, new in itertools.pairwise(models):
        values, aside = carry_over(values, FORMS[old], FORMS[new], aside)
    return values


def test_an_unset_field_is_unset_again_after_models_with_other_defaults() -> None:
    assert over(blank(FORMS[TEXT]), TEXT, CFG, FLUX, TEXT)["aspect_ratio"] is None


def test_an_image_comes_back_after_it_was_the_first_frame_of_a_model_with_references() -> None:
    given_ = {**blank(FORMS[MOTION]), "input_image": "a1"}
    assert over(given_, MOTION, IMAGE, TARGET, IMAGE, MOTION) == given_
    there = over(given_, MOTION, IMAGE, TARGET, IMAGE, MOTION, TARGET)
    assert (there["start_image_url"], there["input_image"]) == ("a1", [])


@settings(max_examples=20)
@given(st.data(), a_form, a_form)
def test_values_are_legal_in_the_new_form_or_set_aside(data: st.DataObject, old: Form, new: Form) -> None:
    given_ = data.draw(value_for(old))
    values, aside = carry_over(given_, old, new, {})
    assert set(values) == {spec.name for spec in new.specs}
    for spec in new.specs:
        value = values[spec.name]
        if spec.choices and value is not None:
            assert value in spec.choices
        if spec.kind in ("integer", "number") and value is not None:
            assert (spec.minimum is None or spec.minimum <= value) and (spec.maximum is None or value <= spec.maximum)
    for name, value in given_.items():
        spec = old.spec(name)
        assert spec is not None
        kept = values.get(name) in (value, [value]) or (name in aside and aside[name].value == value)
        moved = value in values.values() or any(value in held for held in values.values() if isinstance(held, list))
        usual = name == "num_generations" or ((there := new.spec(name)) is not None and there.default == value)
        assert spec.blank(value) or kept or moved or usual or value == spec.default
    assert read_unsupported({name: away.to_json() for name, away in aside.items()}) == aside


def test_an_unavailable_length_becomes_the_nearest() -> None:
    values, aside = carry_over({**blank(FORMS[TARGET]), "duration": 9}, FORMS[TARGET], FORMS[O1], {})
    assert values["duration"] == 10
    assert aside["duration"].why == "9 is not available, set to 10"
    back, left = carry_over({**values, "duration": 5}, FORMS[O1], FORMS[TARGET], aside)
    assert back["duration"] == 5 and not left  # the newer value counts


def test_the_first_frame_is_the_only_image_of_some_models() -> None:
    given_ = {**blank(FORMS[TARGET]), "start_image_url": "a9", "input_image": ["a1", "a2"]}
    values, aside = carry_over(given_, FORMS[TARGET], FORMS[IMAGE], {})
    assert values["input_image"] == "a9"
    alone, _ = carry_over({**blank(FORMS[IMAGE]), "input_image": "a7"}, FORMS[IMAGE], FORMS[OMNI], {})
    assert (alone["start_image_url"], alone["input_image"]) == ("a7", [])
    for now in ("a9", "a5"):  # the current image counts, a newer one too
        back, _ = carry_over({**values, "input_image": now}, FORMS[IMAGE], FORMS[TARGET], aside)
        assert (back["start_image_url"], back["input_image"]) == (now, ["a1", "a2"])


def test_one_of_several_images_is_used_and_a_newer_one_replaces_it() -> None:
    values, aside = carry_over({**blank(FORMS[TARGET]), "input_image": ["a1", "a2"]}, FORMS[TARGET], FORMS[IMAGE], {})
    assert values["input_image"] == "a1"
    assert aside["input_image"].why == "uses 1 of 2 images"
    back, _ = carry_over({**values, "input_image": "a5"}, FORMS[IMAGE], FORMS[TARGET], aside)
    assert back["input_image"] == ["a5", "a2"]


def test_unsupported_values_are_named_except_for_defaults() -> None:
    given_ = {**blank(FORMS[OMNI]), "prompt": "x", "resolution": "4k", "input_video": "a1"}
    _, aside = carry_over(given_, FORMS[OMNI], FORMS[IMAGE], {})
    assert {name: away.why for name, away in aside.items() if away.why} == {
        "input_video": "a video",
        "resolution": "4k",
    }


@pytest.mark.parametrize("name", ["num_generations", "num_images"])
def test_another_model_makes_one_clip_or_image_until_more_are_asked_for(name: str) -> None:
    schema = {"properties": {"prompt": {}, "num_images": {"type": "integer", "default": 1, "maximum": 4}}}
    old, new = (form_of(model, Model.read({"id": model, "request_schema": schema})) for model in ("one", "other"))
    values, aside = carry_over({**blank(old), "prompt": "a", name: 4}, old, new, {})
    assert values[name] in (1, None) and values["prompt"] == "a"
    assert name not in aside


OLD = bundled()[CFG].request_schema


def changed(**patches: Any) -> dict[str, Any]:
    left = {name: {**OLD["properties"].get(name, {}), **(patch or {})} for name, patch in patches.items() if patch}
    kept = {name: each for name, each in OLD["properties"].items() if name not in patches}
    return {**OLD, "properties": {**kept, **left}}


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        ({"cfg_scale": None}, "cfg_scale: removed"),
        ({"seed": {"type": "integer", "minimum": 0, "maximum": 9}}, "seed: added: a whole number, 0 to 9"),
        ({"duration": {"enum": [5, 10, 15]}}, "duration: also offers 15"),
        ({"duration": {"enum": [10]}}, "duration: no longer offers 5"),
        ({"cfg_scale": {"maximum": 1}}, "cfg_scale: maximum now 1, was 10"),
        ({"cfg_scale": {"default": 0.7}}, "cfg_scale: default now 0.7, was 0.5"),
        ({"input_image": {"type": "array", "format": None}}, "input_image: now a list, was a URL"),
        ({"prompt": {"title": "Words", "description": "other", "x-order": 9}}, ""),
    ],
)
def test_a_change_is_at_its_field(patch: dict[str, Any], text: str) -> None:
    assert "; ".join(map(str, schema_changes(OLD, changed(**patch)))) == text


def test_changes_are_shown_one_per_line() -> None:
    each = schema_changes(OLD, changed(cfg_scale=None))
    assert repr(Changes(each, CFG, "the bundled one")).splitlines()[1] == "  cfg_scale: removed"
    assert repr(Changes([], CFG, "the bundled one")) == f"{CFG}: no changes since the bundled one"


@given(a_form)
def test_a_schema_does_not_differ_from_itself(form: Form) -> None:
    schema = bundled()[form.model].request_schema
    assert schema_changes(schema, schema) == []
