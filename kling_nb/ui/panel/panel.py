"""The panel: a request that is built, checked, priced and started in a notebook cell.

Python holds the truth. The browser edits a draft, each change comes here as one message, and the verdict goes back.
Callbacks run on any thread and during cells: they read, hand on, and return.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets
from IPython.display import display
from pydantic_core import PydanticCustomError

from kling_nb.errors import KlingError, RequestError
from kling_nb.models.asset import Asset, Kind
from kling_nb.models.problem import Problem
from kling_nb.models.request import TARGET, Request
from kling_nb.models.specs import Form as ModelForm
from kling_nb.render.page import gone_html
from kling_nb.ui.messages import Messages
from kling_nb.ui.outlet import SHOWN, JobLike, Outlet
from kling_nb.ui.panel.code import HubErrors, code_reply, pasted
from kling_nb.ui.panel.controller import Banner, PanelController, Verdict
from kling_nb.ui.panel.form import asides_inward, asides_out, draft_of, fields_of, plain_fields
from kling_nb.ui.panel.models import ModelPicker
from kling_nb.ui.panel.saved import Form, SavedItems
from kling_nb.ui.panel.spending import Spending
from kling_nb.ui.panel.uploads import AssetTable, PressGuard, Uploads
from kling_nb.ui.progress import Rows
from kling_nb.ui.widgets import PanelWidget, keep_reachable, view_of

#: Beside the fields of a draft that is kept: what is put aside for other models. No field of the hub is called so.
_ASIDE = "aside"
_GONE = (
    "This is where a panel was: run the cell to open it again, as it was left. "
    "Clips that were under way are not lost: kn.resume() brings them in, and kn.log() has those that have ended."
)
_BOTH = (
    "there are a prompt and shots, of which only one can be sent: "
    "the prompt counts, and the shots wait behind their switch"
)


class Panel:
    """A form for one request, with its price, its faults, its jobs and their clips.

    >>> panel = Panel(actions, {"prompt": "@Image1 waves", "input_image": ["face.png"]})
    >>> panel.request
    """

    def __init__(
        self,
        actions: PanelController,
        request: Request | Mapping[str, Any] | str | None = None,
        notes: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._actions = actions
        self._shelf, self._uploads, self._guard = AssetTable(), Uploads(), PressGuard(clock)
        self._lock = threading.RLock()
        self._extras: list[dict[str, Any]] = []
        self._verdict, self._hub_words = Verdict(), HubErrors()
        self._outlet = Outlet(gone_html(_GONE))
        self._widget = PanelWidget()
        keep_reachable(self._widget)
        self._rows = Rows(self._send_rows, self._ended, newest_first=True)
        self._box = ipywidgets.VBox([self._widget, self._outlet.late])
        self._box.add_class("kn-with-cards")
        self._widget.observe(self._drafted, "draft")
        self._messages = Messages(self._widget)
        self._messages.answer(
            page=self._on_page,
            piece=self._on_piece,
            fetch=self._on_fetch,
            submit=self._on_submit,
            cancel=self._on_cancel,
            code=self._on_code,
        )
        self._spending = Spending(self._widget, self._messages, actions, self._outlet)
        self._model = ModelPicker(
            self._widget,
            self._messages,
            actions.choosing,
            draft=lambda: self._draft,
            show=self._show,
            refill=self._refill,
            judge=self._judge,
        )
        form = Form(self.fill, self._fields_of, self._keep, self._shelf.get)
        SavedItems(self._widget, self._messages, form, lambda: actions.keeping)
        self.fill({} if request is None else request, notes)
        if request is None:
            self._messages.reporting(self._restore)
        actions.banner_later(self._show_banner)
        self._model.ask()

    # --- what it holds ------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Any]:
        """The wire-named fields as they stand, pictures as `Asset`; may be incomplete."""
        with self._lock:
            return self._fields_of(self._draft)

    @property
    def request(self) -> Request:
        """The request. Raises `RequestError` with every problem while there is an error."""
        return _sound(self._judge())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong or doubtful just now, errors first."""
        return self._judge().problems

    @property
    def jobs(self) -> list[JobLike]:
        """The jobs that were started here, oldest first."""
        return self._rows.jobs

    # --- what it does -------------------------------------------------------------------------------------------------

    def fill(self, request: Request | Mapping[str, Any] | str, notes: Sequence[str] = ()) -> None:
        """Show a request, its fields, or one that stands in pasted code, in place of what is there.

        Code is a cURL command, a JSON body or a Python call; what of it was not understood is listed in the panel, and
        so are `notes`. Text that is no code is the prompt.
        Raises `RequestError` for an unreadable picture among fields.
        """
        request, doubts = pasted(request) if isinstance(request, str) else (request, [])
        fields = plain_fields(request)
        both = [_BOTH] if fields.get("prompt") and fields.get("multi_prompt") else []
        self._fill(fields, [*doubts, *both, *notes])

    def _fill(self, fields: dict[str, Any], notes: Sequence[str], aside: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            draft, extra = draft_of(fields, self._shelf, self._model.form(fields["model"]))
            draft["aside"] = asides_inward(aside or {}, draft, self._shelf)
            self._extras.append(extra)
            filled = len(self._extras)
            self._widget.notes = list(notes)
            self._widget.labels = self._shelf.labels
            self._widget.draft = draft | {"extra": filled, "edit": f"fill:{filled}"}

    def set_start_frame(self, frame: Asset) -> None:
        """Show a picture as the start frame."""
        with self._lock:
            place = _place_of_frames(self._form)
            if place is None:
                raise KlingError(f"{self._form.title} takes no start frame: choose another model in the panel.")
            key = self._keep(frame)
            self._widget.draft = {**self._draft, place: key, "edit": f"frame:{key}"}

    def generate(self) -> list[JobLike]:
        """Start the request as it stands; it costs money on the real hub. Raises `KlingError`."""
        return self._start("generate", self.request)

    def preview(self) -> list[JobLike]:
        """Start a free preview of the request on the local hub. Raises `KlingError`."""
        return self._start("preview", self._drawable())

    def publish(self) -> None:
        """Send the finished cards again, from this thread: a headless run keeps only what a waiting cell sends."""
        for job in self.jobs:
            if job.progress.ended:
                self._outlet.add(job.id, job.card())
        self._outlet.publish()

    def _ipython_display_(self) -> None:
        display({**view_of(self._box), "text/plain": repr(self), "text/html": "<div></div>"}, raw=True)
        self._outlet.show()
        SHOWN.add(self)
        _front[:] = [weakref.ref(self)]

    def __repr__(self) -> str:
        return f"<Panel: {self._verdict.price or 'no price'}, {len(_errors(self._verdict.problems))} to mend>"

    # --- drafts and verdicts ------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """Show what was being written; a picture of it that is gone meanwhile is said and not raised."""
        kept = dict(self._actions.kept_draft() or {})
        aside = kept.pop(_ASIDE, None)
        if kept or aside:
            self._fill(plain_fields(kept), [], aside)

    def _refill(self) -> None:
        """Make the draft anew from its fields, for a form that knows more of them than the guess before."""
        self._fill(plain_fields(self.fields), self._widget.notes, self._put_aside())

    @property
    def _draft(self) -> dict[str, Any]:
        return self._widget.draft

    @property
    def _form(self) -> ModelForm:
        return self._model.form(str(self._draft.get("model", TARGET)))

    def _show(self, draft: Mapping[str, Any]) -> None:
        """Put another draft on the screen, with what the one before was filled with and does not show."""
        with self._lock:
            self._widget.draft = {"extra": self._draft.get("extra"), **draft}

    def _fields_of(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        form = self._model.form(str(draft.get("model", TARGET)))
        return self._extra_of(draft) | fields_of(draft, self._shelf, form)

    def _extra_of(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        """What a draft was filled with and does not show; it names the filling, since undo goes behind one."""
        filled = draft.get("extra")
        if isinstance(filled, int) and 0 < filled <= len(self._extras):
            return self._extras[filled - 1]
        return {}

    def _drafted(self, _change: object) -> None:
        self._widget.extra = _also(self._extra_of(self._draft))
        self._messages.reporting(lambda: self._model.look(self._draft))
        self._messages.reporting(self._judge)
        self._spending.look(self._verdict.request)
        self._messages.reporting(lambda: self._actions.keep_draft(self._to_keep()))

    def _to_keep(self) -> dict[str, Any]:
        with self._lock:
            aside = self._put_aside()
            return self.fields | ({_ASIDE: aside} if aside else {})

    def _put_aside(self) -> dict[str, Any]:
        return asides_out(self._draft, self._shelf, self._form)

    def _judge(self) -> Verdict:
        with self._lock:  # the last draft is judged last, whichever threads the changes came on
            fields = self.fields
            found = self._actions.check(fields)
            said = (*self._model.problems(self._form.model), *found.problems, *self._hub_words.problems(fields))
            verdict = self._verdict = replace(found, problems=said)
            self._widget.verdict = {
                "edit": self._draft.get("edit"),
                "problems": [problem.to_json() for problem in verdict.problems],
                "price": verdict.price,
                "seconds": verdict.seconds,
                "note": verdict.price_note,
            }
            return verdict

    def _drawable(self) -> Request:
        """The request for a preview, which asks nothing of the hub: that its model is gone there is no hindrance."""
        verdict = self._judge()
        return _sound(replace(verdict, problems=tuple(each for each in verdict.problems if each.path != ("model",))))

    def _show_banner(self, banner: Banner) -> None:
        self._widget.banner = {"text": banner.text, "tone": banner.tone, "detail": banner.detail}
        self._messages.reporting(self._judge)  # another hub, another price

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _start(self, what: str, request: Request) -> list[JobLike]:
        start = self._actions.preview if what == "preview" else self._actions.generate
        jobs: list[JobLike] = list(start(request))
        self._hub_words.sent(jobs, self.fields)
        self._rows.add(jobs)
        self._spending.look(self._verdict.request)
        return jobs

    def _send_rows(self, rows: list[dict[str, Any]]) -> None:
        self._widget.rows = rows

    def _ended(self, job: JobLike) -> None:
        self._messages.reporting(lambda: self._outlet.add(job.id, job.card()))
        if self._hub_words.ended(job):
            self._messages.reporting(self._judge)
        if (failure := job.progress.failure) and failure.kind == "ModelNotFound":
            self._model.doubt(self._form.model)
        self._spending.look(self._verdict.request)

    # --- what the browser says ----------------------------------------------------------------------------------------

    def _on_page(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        first = self._outlet.seen(str(content.get("page")))
        self._widget.send({"kind": "clock", "page": content.get("page"), "now": time.time(), "first": first})

    def _on_piece(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        reply, whole = self._uploads.piece(content, bytes(buffers[0]) if buffers else b"")
        if whole is not None:
            name, data = whole
            reply = {"kind": "stored", "id": content["id"], "key": self._keep(_file(name, data, _media(content)))}
        self._widget.send(reply)

    def _on_fetch(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        try:
            key = self._keep(Asset.parse(str(content.get("source", "")).strip(), _media(content)))
        except PydanticCustomError as exc:
            context = exc.context or {}
            why = f"{context.get('message')} – {context.get('remedy')}"
            self._widget.send({"kind": "refused", "id": content.get("id"), "reason": why})
            return
        self._widget.send({"kind": "stored", "id": content.get("id"), "key": key})

    def _keep(self, asset: Asset) -> str:
        key = self._shelf.put(asset)
        self._widget.labels = self._shelf.labels
        return key

    def _on_submit(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        press, what, draft = str(content.get("id")), str(content.get("action")), dict(content.get("draft") or {})
        if not self._guard.admit(press, what, draft):
            self._widget.send({"kind": "submitted", "id": press, "jobs": 0})
            return
        jobs: list[JobLike] = []
        asked: str | None = None
        try:
            self._catch_up(draft)
            self._messages.calm()
            asked = (
                None
                if what == "preview"
                else self._spending.question(
                    self._judge(), str(content.get("price")), sure=bool(content.get("confirmed"))
                )
            )
            if asked is None:
                jobs = self._start(what, self._drawable() if what == "preview" else self.request)
        finally:
            self._guard.release(asked=bool(asked))
            self._widget.send({"kind": "submitted", "id": press, "jobs": len(jobs), "question": asked or ""})

    def _catch_up(self, draft: Mapping[str, Any]) -> None:
        """Take what is on the screen, even where its own message is still on the way."""
        self._widget.draft = {**self._draft, **draft}

    def _on_cancel(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._rows.cancel(str(content.get("job")), self._messages.failed)

    def _on_code(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._widget.send(code_reply(content, self._judge(), self._actions))


#: The panel that was shown last, if any.
_front: list[weakref.ref[Panel]] = []


def active_panel() -> Panel | None:
    """Return the panel that was shown last, None when there is none any more."""
    return _front[0]() if _front else None


def _sound(verdict: Verdict) -> Request:
    if verdict.request is None or _errors(verdict.problems):
        raise RequestError(_errors(verdict.problems) or verdict.problems)
    return verdict.request


def _place_of_frames(form: ModelForm) -> str | None:
    """The field that takes a clip's first frame."""
    found = form.spec("start_image_url") or form.spec("input_image")
    return found.name if found and found.kind == "image" else None


def _errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity == "error")


def _also(extra: Mapping[str, Any]) -> str:
    """What is sent besides what the panel shows: `resolution = 4k`."""
    shown = {name: value.given if isinstance(value, Asset) else value for name, value in extra.items()}
    return ", ".join(f"{name} = {value}" for name, value in shown.items())


def _media(content: Mapping[str, Any]) -> Kind:
    return "video" if content.get("media") == "video" else "image"


def _file(name: str, data: bytes, kind: Kind) -> Asset:
    return replace(Asset.from_bytes(data, given=name, kind=kind), name=name)
