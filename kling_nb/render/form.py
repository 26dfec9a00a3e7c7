"""The panel's form as a picture of it, for pages without its kernel: what is filled in, the price, and the problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kling_nb.models.problem import Problem
from kling_nb.models.specs import FieldSpec, Form
from kling_nb.render.page import render_template

Draft = Mapping[str, Any]
#: The kinds of fields that are shown as a row of values.
_SETTINGS = frozenset({"choice", "integer", "number", "toggle"})
_TEXTS = frozenset({"prompt", "text", "json"})


class Text(NamedTuple):
    """A field that holds text."""

    title: str
    text: str


class Value(NamedTuple):
    """One value of a setting; `chosen` if it is the one in use."""

    text: str
    chosen: bool


class Setting(NamedTuple):
    """A setting with the values to choose from, or the one it has."""

    title: str
    values: list[Value]


class Picture(NamedTuple):
    """An image of the form; `uri` is a data URI, empty for an image that is not shown."""

    name: str
    uri: str


class Place(NamedTuple):
    """A field that takes images, and those that it has."""

    title: str
    pictures: list[Picture]


def form_html(
    form: Form,
    draft: Draft,
    labels: Mapping[str, Mapping[str, Any]],
    problems: Sequence[Problem],
    *,
    price: str,
    note: str,
) -> str:
    """Return the form of a draft as static HTML; `labels` has the images by the keys of the draft.

    Like the panel, it shows no problems before anything is written.
    """
    written = draft.get("prompt") or draft.get("multi_prompt")
    in_shots = draft.get("mode") == "shots" and form.of_kind("shots") is not None
    hidden = {"prompt", "duration"} if in_shots else {"multi_prompt"}
    specs = [spec for spec in form.specs if spec.name not in hidden]
    return render_template(
        "form",
        title=form.title,
        shots=draft.get("multi_prompt") if in_shots else (),
        texts=[text for spec in specs if spec.kind in _TEXTS and (text := _text(spec, draft))],
        places=[place for spec in specs if (place := _place(spec, draft, labels))],
        settings=[_setting(spec, draft.get(spec.name)) for spec in specs if _shown(spec, draft)],
        problems=[(problem.severity, problem.message, problem.remedy) for problem in problems if written],
        price=price,
        note=note,
    )


def _text(spec: FieldSpec, draft: Draft) -> Text | None:
    """Return a text field; the prompt is shown empty too."""
    value = draft.get(spec.name)
    return Text(spec.title, str(value or "")) if value or spec.name == "prompt" else None


def _shown(spec: FieldSpec, draft: Draft) -> bool:
    """Whether a setting is one of those shown first, or has its own value."""
    if spec.kind not in _SETTINGS or (spec.requires and not draft.get(spec.requires)):
        return False
    value = draft.get(spec.name)
    return spec.basic or (value is not None and value != spec.default)


def _setting(spec: FieldSpec, value: Any) -> Setting:
    value = spec.default if value is None else value
    if spec.kind == "choice":
        return Setting(spec.title, [Value(str(choice), choice == value) for choice in spec.choices])
    if spec.kind == "toggle":
        return Setting(spec.title, [Value("On" if value else "Off", True)])
    unit = " s" if spec.name == "duration" else ""
    return Setting(spec.title, [Value("–" if value is None else f"{value}{unit}", True)])


def _place(spec: FieldSpec, draft: Draft, labels: Mapping[str, Mapping[str, Any]]) -> Place | None:
    """Return a field with its images; None if it has none. A video shows its name."""
    value = draft.get(spec.name)
    if not value or spec.kind not in {"images", "image", "video", "elements"}:
        return None
    if spec.kind == "elements":
        named = [(f"@Element{number}", element.get("frontal_image_url")) for number, element in enumerate(value, 1)]
    elif spec.kind == "images":
        named = [(f"@Image{number}", key) for number, key in enumerate(value, 1)]
    else:
        named = [(str(labels.get(value, {}).get("name", "")), value)]
    return Place(spec.title, [Picture(name, _uri(labels.get(str(key), {}))) for name, key in named])


def _uri(label: Mapping[str, Any]) -> str:
    """Return a thumbnail, never the address of another server."""
    uri = str(label.get("uri", ""))
    return uri if uri.startswith("data:") else ""
