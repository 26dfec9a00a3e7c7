"""The answers to the buttons on a finished card, as long as the kernel of its cell lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from kling_nb.ui.messages import Messages, reply_clip, reply_open, reply_use_frame

if TYPE_CHECKING:
    from kling_nb.store.log import Log


class CardActions(Protocol):
    """The actions of a card; a gallery's controller has them."""

    store: Log

    def use_frame(self, record_id: str, number: int, /) -> str:
        """Put a frame of a clip into the open panel; return a confirmation."""
        ...

    def open_record(self, record_id: str, /) -> str:
        """Fill the open panel with a record's request; return a confirmation."""
        ...


#: Called at a press, since what acts takes a while to load.
Acts = Callable[[], CardActions]


def answer_cards(widget: Any, messages: Messages, acts: Acts, starred: Callable[[str, int], None]) -> None:
    """Answer the messages of cards; `starred` receives a record's ID and its new stars."""

    def annotate(content: Mapping[str, Any], _buffers: object) -> None:
        stars = (content.get("changes") or {}).get("stars") or None
        record = acts().store.annotate(str(content.get("id")), stars=stars)
        starred(record.id, record.stars or 0)

    messages.on(
        annotate=annotate,
        clip=lambda content, _buffers: reply_clip(widget, content, lambda record_id: acts().store.clip(record_id)),
        use_frame=lambda content, _buffers: reply_use_frame(
            widget, content, lambda record_id, frame: acts().use_frame(record_id, frame)
        ),
        open=lambda content, _buffers: reply_open(widget, content, lambda record_id: acts().open_record(record_id)),
    )
