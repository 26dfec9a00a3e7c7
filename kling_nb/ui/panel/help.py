"""The panel's help: pasted texts as shots, example requests with their pictures, and the guide to prompts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from kling_nb.code.read import read_request
from kling_nb.errors import KlingError
from kling_nb.models.asset import Asset
from kling_nb.models.fields import mapped
from kling_nb.models.mentions import mentionable
from kling_nb.models.specs import Form, storyboard_limits
from kling_nb.models.storyboard.board import MOST_TEXT, read_storyboard
from kling_nb.render.images import screen_image
from kling_nb.ui.messages import Messages

_THUMBNAIL = (150, 110)
_numbers = itertools.count(1)


class PromptHelp:
    """The part of a panel that answers messages about help.

    `draft` returns the current draft, `show` replaces it, and `form` returns the form of a model. `fill` replaces the
    panel's contents by a request or by the request in pasted code.
    """

    def __init__(
        self,
        messages: Messages,
        *,
        draft: Callable[[], Mapping[str, Any]],
        show: Callable[[Mapping[str, Any]], None],
        form: Callable[[str], Form],
        fill: Callable[[Any], None],
    ) -> None:
        self._messages = messages
        self._draft, self._show, self._form, self._fill = draft, show, form, fill
        messages.on(script=self._on_script, help=self._on_help, example=self._on_example)

    def _on_help(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        shown = [{**each, "images": [thumbnail(name) for name in each["images"]]} for each in described()]
        self._messages.send("answer", id=content.get("id"), guide=guide(), examples=shown)

    def _on_example(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._messages.clear_alert()
        self._fill(example(str(content.get("title"))))

    def _on_script(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Fill the form with the shots, or the prompt, of a pasted text; reply with notes on what was done."""
        draft, text = {**self._draft(), **(content.get("draft") or {})}, str(content.get("text") or "")
        try:
            edit, notes = self._read(text, draft)
        except KlingError as exc:
            self._messages.send("refused", id=content.get("id"), reason=str(exc))
        else:
            self._messages.send("answer", id=content.get("id"), notes=notes, edit=edit)

    def _read(self, text: str, draft: Mapping[str, Any]) -> tuple[str, list[str]]:
        if len(text) > MOST_TEXT:
            raise KlingError(f"The text has {len(text):,} characters; at most {MOST_TEXT:,}. Paste one scene.")
        fields, _ = read_request(text)
        if fields.get("prompt") or isinstance(fields.get("multi_prompt"), list) or len(fields) > 1:
            self._fill(text)  # a cURL command, a request in JSON, a Python call
            return str(self._draft().get("edit")), ["Read as code: the whole request was filled in."]
        form = self._form(str(draft.get("model")))
        length = form.spec("duration")
        chosen = draft.get("duration") if length and draft.get("mode") != "shots" else None
        wanted = chosen if length and isinstance(chosen, int) and chosen != length.default else None
        reading = read_storyboard(text, storyboard_limits(form), untimed=wanted, references=mentionable(draft))
        edit = f"script:{next(_numbers)}"
        if not reading.fields:
            return edit, reading.notes
        changes: dict[str, Any] = dict(reading.fields)
        changes["mode"] = "shots" if "multi_prompt" in changes else "prompt"
        self._show({**draft, **changes, "edit": edit})
        return edit, reading.notes


@cache
def guide() -> str:
    """Return the guide to prompts, in Markdown: the same text as in the documentation."""
    return _file("guide.md").decode("utf-8")


def described() -> list[dict[str, Any]]:
    """Return the examples with title, text, and the file names of their pictures."""
    found: list[dict[str, Any]] = []
    for title, (text, fields) in EXAMPLES.items():
        names: list[str] = []
        mapped(fields, lambda _, item, names=names: names.append(item) if str(item).endswith(".jpg") else None)
        found.append({"title": title, "text": text, "images": list(dict.fromkeys(names))})
    return found


def example(title: str) -> dict[str, Any]:
    """Return the fields of an example, with its pictures. Raises `KlingError` for an unknown one."""
    if title not in EXAMPLES:
        raise KlingError(f"The example {title!r} does not exist.")
    return mapped(EXAMPLES[title][1], lambda _, item: picture(item) if str(item).endswith(".jpg") else item)


@cache
def picture(name: str) -> Asset:
    """Return a picture of the examples."""
    return replace(Asset.from_bytes(_file("images", name), given=f"example: {name}"), name=name)


@cache
def thumbnail(name: str) -> str:
    """Return a small picture of an example as a data URI."""
    return screen_image(_file("images", name), _THUMBNAIL) or ""


def _file(*path: str) -> bytes:
    return files("kling_nb.ui").joinpath("help", *path).read_bytes()


#: Title to a sentence on what it shows, and the fields.
EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "A portrait that moves": (
        "One reference, one action, one camera move.",
        {
            "prompt": "@Image1 turns her head to the camera and smiles. Slow dolly in, 85mm, soft window light.",
            "input_image": ["astronaut.jpg"],
            "duration": 5,
        },
    ),
    "A product, close up": (
        "Macro, light and small motion.",
        {
            "prompt": "Macro shot of @Image1 on a dark wooden table. Steam rises in slow curls, a drop runs down the "
            "rim. The camera arcs slowly around the cup, 100mm macro lens, warm rim light, shallow depth of field.",
            "input_image": ["coffee.jpg"],
            "aspect_ratio": "1:1",
            "duration": 5,
        },
    ),
    "A story in three shots": (
        "Shots with their own sizes and seconds; two references.",
        {
            "multi_prompt": [
                {"prompt": "Close-up of @Image1, ears up, eyes following something off screen.", "duration": 2},
                {"prompt": "Wide shot: @Image2 on a wooden table by the window, steam rises.", "duration": 2},
                {"prompt": "Medium shot: @Image1 leans in and sniffs at @Image2. Static camera.", "duration": 3},
            ],
            "input_image": ["cat.jpg", "coffee.jpg"],
        },
    ),
    "Two lines of dialogue": (
        "Audio on, one voice a shot, words in quotation marks.",
        {
            "multi_prompt": [
                {
                    "prompt": "Medium close-up of @Image1 by a window at dusk. "
                    'She says calmly: "We leave at dawn." Sound: wind outside.',
                    "duration": 4,
                },
                {
                    "prompt": "Over the shoulder of @Image1, a hoarse old man at the table looks up. "
                    'He says slowly: "Then we should sleep."',
                    "duration": 4,
                },
            ],
            "input_image": ["astronaut.jpg"],
            "generate_audio": True,
        },
    ),
    "From day to night": (
        "A start frame, a tail frame, and the way between them.",
        {
            "prompt": "Time-lapse: the sun sets behind the hills, shadows grow long, the sky turns deep blue, stars "
            "appear and the window of the house lights up. Locked-off camera.",
            "start_image_url": "day.jpg",
            "tail_image_url": "night.jpg",
            "duration": 8,
        },
    ),
    "Upright, for a phone": (
        "9:16, a drawn reference, a tracking shot.",
        {
            "prompt": "@Image1 floats down a rain-filled gutter and over a small fall. The camera tracks beside it "
            "just above the water, 24mm, overcast light, drops on the lens.",
            "input_image": ["paper-boat.jpg"],
            "aspect_ratio": "9:16",
            "duration": 6,
        },
    ),
}
