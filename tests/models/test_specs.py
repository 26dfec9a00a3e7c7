"""From a schema or a class to field specs; from one form to another; from one schema to the next."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_nb.hubs.catalogue import bundled
from kling_nb.models.carry import carry_over, read_unsupported
from kling_nb.models.catalogue import Changes, schema_changes
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


# --- specs ---


def test_the_forms_of_the_classes_have_all_their_fields() -> None:
    ours = {"model", "response_format", "target_namespace"}
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
def test_a_schema_says_which_control_a_field_needs(model: str, name: str, kind: str) -> None:
    assert kinds(model)[name] == kind


def test_fields_stand_in_their_order_and_hidden_ones_are_left_out() -> None:
    assert [spec.name for spec in FORMS[CFG].specs][:3] == ["prompt", "input_image", "negative_prompt"]
    assert "response_format" not in kinds(CFG)
    scale = FORMS[CFG].spec("cfg_scale")
    assert scale and not scale.basic and (scale.minimum, scale.maximum, scale.default) == (0, 10, 0.5)


def test_or_null_and_references_are_read_as_json_schema_means_them() -> None:
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


def test_a_model_that_nobody_knows_has_a_prompt() -> None:
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


@settings(max_examples=40)
@given(wild, st.dictionaries(st.text(max_size=8), wild | json, max_size=4))
def test_no_schema_however_wrong_is_more_than_a_form_can_bear(
    schema: dict[str, Any], properties: dict[str, Any]
) -> None:
    for spec in specs_of({**schema, "properties": properties}):
        assert spec.to_json()["name"] in properties
    assert all(str(change) for change in schema_changes(schema, {**schema, "properties": properties}))


# --- from one form to another ---


def blank(form: Form) -> dict[str, Any]:
    return {spec.name: spec.unset for spec in form.specs}


def value_for(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Values as a person may have set them on a form: legal or left alone."""
    pictures = st.sampled_from(["a1", "a2", "a3"])

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
                set_ = st.lists(pictures, min_size=1, max_size=3, unique=True)
            case "image" | "video":
                set_ = pictures
            case "elements" | "shots":
                set_ = st.just([{"prompt": "x", "duration": 3}])
            case _:
                set_ = st.text("abc", min_size=1, max_size=5)
        # A value that is the default is as good as left alone, and comes back so.
        return st.just(spec.unset) | set_.map(lambda value: spec.unset if value == spec.default else value)

    return st.fixed_dictionaries({spec.name: of(spec) for spec in form.specs})


a_form = st.sampled_from(list(FORMS.values()))


@settings(max_examples=40)
@given(st.data(), a_form, st.lists(a_form, min_size=1, max_size=3))
def test_whoever_comes_back_finds_all_as_it_was(data: st.DataObject, first: Form, others: list[Form]) -> None:
    given_ = data.draw(value_for(first))
    values, aside, at = given_, {}, first
    for form in [*others, first]:
        values, aside = carry_over(values, at, form, aside)
        at = form
    assert values == given_


def over(start: dict[str, Any], *models: str) -> dict[str, Any]:
    """The values after one model was chosen after another."""
    values, aside = start, {}
    for old, new in itertools.pairwise(models):
        values, aside = carry_over(values, FORMS[old], FORMS[new], aside)
    return values


def test_a_default_that_nobody_chose_is_none_again_after_a_model_without_it_and_one_with_another() -> None:
    assert over(blank(FORMS[TEXT]), TEXT, CFG, FLUX, TEXT)["aspect_ratio"] is None


def test_one_picture_comes_back_after_it_was_the_first_frame_of_a_model_that_has_references_too() -> None:
    """Found by hypothesis: the model that takes one picture then was given the references, and there were none."""
    given_ = {**blank(FORMS[MOTION]), "input_image": "a1"}
    assert over(given_, MOTION, IMAGE, TARGET, IMAGE, MOTION) == given_
    there = over(given_, MOTION, IMAGE, TARGET, IMAGE, MOTION, TARGET)
    assert (there["start_image_url"], there["input_image"]) == ("a1", [])


@settings(max_examples=40)
@given(st.data(), a_form, a_form)
def test_what_is_carried_is_legal_and_what_is_not_is_put_aside(data: st.DataObject, old: Form, new: Form) -> None:
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
        usual = (there := new.spec(name)) is not None and there.default == value
        assert spec.blank(value) or kept or moved or usual or value == spec.default
    assert read_unsupported({name: away.to_json() for name, away in aside.items()}) == aside


def test_a_length_that_is_not_offered_becomes_the_nearest_and_says_so() -> None:
    values, aside = carry_over({**blank(FORMS[TARGET]), "duration": 9}, FORMS[TARGET], FORMS[O1], {})
    assert values["duration"] == 10
    assert aside["duration"].why == "9 is not offered, it is 10 now"
    back, left = carry_over({**values, "duration": 5}, FORMS[O1], FORMS[TARGET], aside)
    assert back["duration"] == 5 and not left  # what was set since counts


def test_the_first_frame_has_another_name_where_a_picture_is_all_there_is() -> None:
    given_ = {**blank(FORMS[TARGET]), "start_image_url": "a9", "input_image": ["a1", "a2"]}
    values, aside = carry_over(given_, FORMS[TARGET], FORMS[IMAGE], {})
    assert values["input_image"] == "a9"
    alone, _ = carry_over({**blank(FORMS[IMAGE]), "input_image": "a7"}, FORMS[IMAGE], FORMS[OMNI], {})
    assert (alone["start_image_url"], alone["input_image"]) == ("a7", [])
    for now in ("a9", "a5"):  # the picture that stands there counts, also a newer one
        back, _ = carry_over({**values, "input_image": now}, FORMS[IMAGE], FORMS[TARGET], aside)
        assert (back["start_image_url"], back["input_image"]) == (now, ["a1", "a2"])


def test_one_of_several_pictures_is_used_and_a_newer_one_takes_its_place() -> None:
    values, aside = carry_over({**blank(FORMS[TARGET]), "input_image": ["a1", "a2"]}, FORMS[TARGET], FORMS[IMAGE], {})
    assert values["input_image"] == "a1"
    assert aside["input_image"].why == "1 of 2 pictures is used"
    back, _ = carry_over({**values, "input_image": "a5"}, FORMS[IMAGE], FORMS[TARGET], aside)
    assert back["input_image"] == ["a5", "a2"]


def test_what_the_new_model_has_not_is_named_and_defaults_are_not_missed() -> None:
    given_ = {**blank(FORMS[OMNI]), "prompt": "x", "resolution": "4k", "input_video": "a1"}
    _, aside = carry_over(given_, FORMS[OMNI], FORMS[IMAGE], {})
    assert {name: away.why for name, away in aside.items() if away.why} == {
        "input_video": "a video",
        "resolution": "4k",
    }


# --- from one schema to the next ---

OLD = bundled()[CFG].request_schema


def changed(**patches: Any) -> dict[str, Any]:
    left = {name: {**OLD["properties"].get(name, {}), **(patch or {})} for name, patch in patches.items() if patch}
    kept = {name: each for name, each in OLD["properties"].items() if name not in patches}
    return {**OLD, "properties": {**kept, **left}}


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"cfg_scale": None}, "cfg_scale: is gone"),
        ({"seed": {"type": "integer", "minimum": 0, "maximum": 9}}, "seed: is new: a whole number, 0 to 9"),
        ({"duration": {"enum": [5, 10, 15]}}, "duration: also offers 15"),
        ({"duration": {"enum": [10]}}, "duration: no longer offers 5"),
        ({"cfg_scale": {"maximum": 1}}, "cfg_scale: most is 1 now, was 10"),
        ({"cfg_scale": {"default": 0.7}}, "cfg_scale: default is 0.7 now, was 0.5"),
        ({"input_image": {"type": "array", "format": None}}, "input_image: is a list now, was an address"),
        ({"prompt": {"title": "Words", "description": "other", "x-order": 9}}, ""),
    ],
)
def test_a_change_is_said_at_its_field(patch: dict[str, Any], said: str) -> None:
    assert "; ".join(map(str, schema_changes(OLD, changed(**patch)))) == said


def test_changes_are_shown_one_a_line() -> None:
    each = schema_changes(OLD, changed(cfg_scale=None))
    assert repr(Changes(each, CFG, "the bundled one")).splitlines()[1] == "  cfg_scale: is gone"
    assert "the same" in repr(Changes([], CFG, "the bundled one"))


@given(a_form)
def test_a_schema_is_like_itself(form: Form) -> None:
    schema = bundled()[form.model].request_schema
    assert schema_changes(schema, schema) == []
