"""The `TypedDict`s behind the signatures of the public verbs say exactly what the models take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from kling_nb.models.asset import ImageField, ImageInput, VideoField, VideoInput
from kling_nb.models.request import Element, Omni, ReferenceToVideo, Request, RequestFields, Shot


def input_types(annotation: Any) -> set[Any]:
    """The types that a caller may pass for a model's annotation, a union taken apart and without None."""
    match annotation:
        case _ if annotation is NoneType:
            return set()
        case _ if annotation == ImageField:
            return alternatives(ImageInput)
        case _ if annotation == VideoField:
            return alternatives(VideoInput)
        case _ if annotation in (Shot, Element):
            return {annotation, Mapping[str, Any]}
        case _ if get_origin(annotation) is Annotated:
            return input_types(get_args(annotation)[0])
        case _ if get_origin(annotation) in (Union, UnionType):
            return set().union(*map(input_types, get_args(annotation)))
        case _ if get_origin(annotation) is tuple:
            return {("iterable", frozenset(input_types(get_args(annotation)[0])))}
        case _:
            return {annotation}


def alternatives(annotation: Any) -> set[Any]:
    """The alternatives of a `TypedDict`'s annotation, in the form of `input_types`."""
    match get_origin(annotation):
        case origin if origin in (Union, UnionType):
            return set().union(*map(alternatives, get_args(annotation)))
        case origin if origin is Iterable:
            return {("iterable", frozenset(alternatives(get_args(annotation)[0])))}
        case _:
            return set() if annotation is NoneType else {annotation}


@pytest.mark.parametrize("model", [ReferenceToVideo, Omni])
def test_each_field_takes_what_the_model_takes(model: type[Request]) -> None:
    given, taken = get_type_hints(RequestFields), get_type_hints(model, include_extras=True)
    given["input_image"] = Iterable[ImageInput]  # one image alone is taken too, see `with_lists`
    names = model.model_fields.keys()
    assert {name: alternatives(given[name]) for name in names} == {name: input_types(taken[name]) for name in names}


def test_request_fields_are_those_of_both_models() -> None:
    assert set(get_type_hints(RequestFields)) == set(ReferenceToVideo.model_fields) | set(Omni.model_fields)
    assert RequestFields.__required_keys__ == frozenset()
    assert get_type_hints(RequestFields)["aspect_ratio"] == Literal["16:9", "9:16", "1:1"]
