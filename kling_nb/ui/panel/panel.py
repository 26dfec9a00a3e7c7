"""The panel: builds, checks, prices and starts a request in a notebook cell.

Python holds the state. The browser edits a draft and sends each change as one message; the verdict goes back. Undo is
in the browser (`static/history.js`): it sends an earlier draft like any other edit.

`controller` does what the buttons ask for, `form` converts drafts, `models` switches between models, `saved` has the
presets, elements and earlier clips, `spending` confirms prices and has the hub's errors, `uploads` receives files,
`code` writes and reads code, and `drafts` saves the draft. Callbacks run on any thread and during cells: they read,
submit and return.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from IPython.display import display

from kling_nb.errors import KlingError, RequestError
from kling_nb.models.asset import Asset
from kling_nb.models.images import ImageError
from kling_nb.models.problem import Problem
from kling_nb.models.reprs import counted
from kling_nb.models.request import TARGET, Request
from kling_nb.notebook.location import where_views_live
from kling_nb.render.form import form_html
from kling_nb.ui.marimo import stack
from kling_nb.ui.messages import Messages, PressGuard
from kling_nb.ui.outlet import SHOWN
from kling_nb.ui.panel.code import code_reply, read_pasted
from kling_nb.ui.panel.controller import Banner, PanelController, Verdict
from kling_nb.ui.panel.form import Fields, draft_of, fields_of, plain_fields, unsupported_draft, unsupported_fields
from kling_nb.ui.panel.help import PromptHelp
from kling_nb.ui.panel.models import ModelPicker
from kling_nb.ui.panel.results import GalleryLike, Results
from kling_nb.ui.panel.saved import SavedItems
from kling_nb.ui.panel.spending import HubErrors, Spending
from kling_nb.ui.panel.uploads import AssetTable, Uploads, media_of
from kling_nb.ui.progress import JobArea
from kling_nb.ui.widgets import PanelWidget, keep_reachable, view_of

if TYPE_CHECKING:
    from kling_nb.engine.job import Job
    from kling_nb.models.specs import Form

#: The key of the values set aside for other models, next to the fields of a saved draft. The hub has no such field.
_UNSUPPORTED = "unsupported"
_OFFLINE = (
    "Run this cell to open the panel again as you left it. "
    "No clip is lost: kn.resume() follows the jobs that are still running, and kn.log() shows those that have ended."
)
_BOTH = "multi_prompt: only a prompt or shots can be sent; the prompt is used, and the shots are kept"


class Panel:
    """A form for one request, with its price, its problems, its jobs and their clips.

    Attributes:
        widget: The widget that the browser shows.
        outlet: The cards of finished jobs.

    Example:
        >>> panel = kn.panel({"prompt": "@Image1 waves", "input_image": ["face.png"]})
        >>> panel.request
    """

    def __init__(
        self,
        controller: PanelController,
        request: Request | Mapping[str, Any] | str | None = None,
        notes: Sequence[str] = (),
        *,
        new_gallery: Callable[[], GalleryLike] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controller = controller
        self._assets, self._uploads, self._guard = AssetTable(), Uploads(), PressGuard(clock)
        self._lock = threading.RLock()
        self._extras: list[Fields] = []
        self._verdict, self._hub_errors = Verdict(), HubErrors()
        self.widget = PanelWidget()
        keep_reachable(self.widget)
        self.widget.observe(self._on_edit, "draft")
        self._messages = Messages(self.widget)
        self._messages.on(piece=self._on_piece, fetch=self._on_fetch, submit=self._on_submit, code=self._on_code)
        self._jobs = JobArea(self.widget, self._messages, _OFFLINE, self._ended)
        self.outlet = self._jobs.outlet
        self._spending = Spending(self.widget, self._messages, controller, self.outlet)
        self._models = ModelPicker(
            self.widget,
            self._messages,
            controller.models,
            draft=lambda: self._draft,
            show=self._show,
            refill=self._refill,
            check=self._check,
        )
        controller.compare_models(self._messages, self._jobs, self._fields_of)
        PromptHelp(self._messages, draft=lambda: self._draft, show=self._show, form=self._models.form, fill=self.fill)
        self._results = Results(
            self._messages,
            self._jobs,
            controller.saved,
            use_frame=self.set_start_frame,
            fill=self.fill,
            new_gallery=new_gallery,
        )
        SavedItems(
            self.widget,
            self._messages,
            controller.saved,
            show=self.fill,
            fields_of=self._fields_of,
            put=self._add_asset,
            get=self._assets.get,
        )
        self.fill({} if request is None else request, notes)
        if request is None:
            self._messages.guard(self._restore)
        controller.watch_hub(self._show_banner)
        self._models.load()

    # --- contents -----------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Any]:
        """The current wire-named fields, with images as `Asset`; may be incomplete."""
        with self._lock:
            return self._fields_of(self._draft)

    @property
    def request(self) -> Request:
        """The current request. Raises `RequestError` with all errors if there are any."""
        return _valid(self._check())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All errors and warnings, errors first."""
        return self._check().problems

    @property
    def jobs(self) -> list[Job]:
        """The jobs that were started here, oldest first."""
        return self._jobs.jobs

    # --- actions ------------------------------------------------------------------------------------------------------

    def fill(self, request: Request | Mapping[str, Any] | str, notes: Sequence[str] = ()) -> None:
        """Replace the contents by a request, by fields, or by the request in pasted code.

        Args:
            request: A request, its fields, or a text: cURL, JSON, or a call in Python or JavaScript. A text that is
                not code is the prompt.
            notes: Notes to show in the panel, after those on the parts of the code that were not understood.

        Raises:
            RequestError: An image among the fields cannot be read.
        """
        request, unread = read_pasted(request) if isinstance(request, str) else (request, [])
        fields = plain_fields(request)
        both = [_BOTH] if fields.get("prompt") and fields.get("multi_prompt") else []
        self._fill(fields, [*unread, *both, *notes])

    def set_start_frame(self, frame: Asset, of: str = "") -> None:
        """Use an image as the start frame, and show it. Raises `KlingError` if the model takes none.

        Args:
            of: The source of the frame, in the user's words.
        """
        with self._lock:
            form = self._form
            spec = form.spec("start_image_url") or form.spec("input_image")
            if spec is None or spec.kind != "image":
                raise KlingError(f"{form.title} takes no start frame. Choose another model in the panel.")
            key = self._add_asset(frame)
            self.widget.draft = {**self._draft, spec.name: key, "edit": f"frame:{key}"}
        which = frame.given.partition(" of ")[0].capitalize() if frame.source else "This image"
        what = f"{which} of “{of}”" if of else which
        self._messages.send("arrived", field=spec.name, text=f"{what} is now the {spec.title.lower()}.")

    def generate(self) -> list[Job]:
        """Start the request, which costs money on the real hub. Raises `KlingError`."""
        return self._start("generate", self.request)

    def preview(self) -> list[Job]:
        """Start a free preview of the request on the local hub. Raises `KlingError`."""
        return self._start("preview", _valid_for_preview(self._check()))

    def publish(self) -> None:
        """Send the finished cards again, from this thread (see `kling_nb.ui.outlet.publish`)."""
        self._jobs.publish()

    def _display_(self) -> Any:
        return stack(self.widget, self.outlet.late)

    def _ipython_display_(self) -> None:
        found = self._verdict
        picture = form_html(
            self._form, self._draft, self.widget.labels, found.problems, price=found.price, note=found.price_note
        )
        display({**view_of(self._jobs.box), "text/plain": repr(self), "text/html": picture}, raw=True)
        self.outlet.show()
        SHOWN.add(self)
        _active[:] = [weakref.ref(self)]

    def __repr__(self) -> str:
        count = len(_errors(self._verdict.problems))
        state = f"<Panel: {self._verdict.price or 'no price'}, {counted(count, 'error')}>"
        return " ".join(filter(None, [state, where_views_live()]))

    # --- drafts and verdicts ------------------------------------------------------------------------------------------

    @property
    def _draft(self) -> dict[str, Any]:
        return self.widget.draft

    @property
    def _form(self) -> Form:
        return self._models.form(str(self._draft.get("model", TARGET)))

    def _fill(self, fields: Fields, notes: Sequence[str], unsupported: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            form = self._models.form(fields["model"])
            draft, extra = draft_of(fields, self._assets, form)
            draft["unsupported"] = unsupported_draft(unsupported or {}, draft, self._assets)
            self._extras.append(extra)
            number = len(self._extras)
            self.widget.notes = list(notes)
            self.widget.labels = self._assets.labels(form.model)
            self.widget.draft = draft | {"extra": number, "edit": f"fill:{number}"}

    def _restore(self) -> None:
        """Show the saved draft; a missing image is reported and not raised."""
        fields = dict(self._controller.draft.load() or {})
        unsupported = fields.pop(_UNSUPPORTED, None)
        if fields or unsupported:
            self._fill(plain_fields(fields), [], unsupported)

    def _refill(self) -> None:
        """Build the draft again from its fields, for a form that has more of them than the one guessed before."""
        self._fill(plain_fields(self.fields), self.widget.notes, self._unsupported_fields())

    def _show(self, draft: Mapping[str, Any]) -> None:
        """Replace the draft, but not the fields that it does not show."""
        with self._lock:
            self.widget.draft = {"extra": self._draft.get("extra"), **draft}

    def _fields_of(self, draft: Mapping[str, Any]) -> Fields:
        form = self._models.form(str(draft.get("model", TARGET)))
        return self._extra_of(draft) | fields_of(draft, self._assets, form)

    def _extra_of(self, draft: Mapping[str, Any]) -> Fields:
        """Return the fields that a draft does not show; it has the number of their `fill`, to which undo may return."""
        number = draft.get("extra")
        if isinstance(number, int) and 0 < number <= len(self._extras):
            return self._extras[number - 1]
        return {}

    def _unsupported_fields(self) -> Fields:
        return unsupported_fields(self._draft, self._assets, self._form)

    def _on_edit(self, _change: object) -> None:
        self._messages.guard(self._edited)

    def _edited(self) -> None:
        """Check, look up and save the draft. Its fields are computed once."""
        draft = self._draft
        self.widget.extra = _extra_text(self._extra_of(draft))
        self.widget.labels = self._assets.labels(self._form.model)
        self._messages.guard(lambda: self._models.edited(draft))
        with self._lock:  # whichever threads the edits came on, the last draft is checked last
            fields = self.fields
            unsupported = self._unsupported_fields()
            self._messages.guard(lambda: self._check(fields))
        self._spending.edited(self._verdict.request)
        self._controller.draft.save(fields | ({_UNSUPPORTED: unsupported} if unsupported else {}))

    def _check(self, fields: Fields | None = None) -> Verdict:
        with self._lock:
            fields = self.fields if fields is None else fields
            found = self._controller.check(fields)
            withdrawn, rejected = self._models.problems(self._form.model), self._hub_errors.problems(fields)
            verdict = self._verdict = replace(found, problems=(*withdrawn, *found.problems, *rejected))
            self.widget.verdict = {
                "edit": self._draft.get("edit"),
                "problems": [problem.to_json() for problem in verdict.problems],
                "price": verdict.price,
                "seconds": verdict.seconds,
                "note": verdict.price_note,
                "hubs": [asdict(offer) for offer in verdict.hubs],
            } | {"hub": verdict.hub, "uploads": verdict.uploads}
            return verdict

    def _show_banner(self, banner: Banner) -> None:
        self.widget.banner = {"text": banner.text, "tone": banner.tone, "detail": banner.detail}
        self._messages.guard(self._check)  # another hub has another price

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _start(self, action: str, request: Request) -> list[Job]:
        start = self._controller.preview if action == "preview" else self._controller.generate
        jobs: list[Job] = list(start(request))
        self._hub_errors.sent(jobs, self.fields)
        self._jobs.add(jobs)
        self._spending.update(self._verdict.request)
        return jobs

    def _ended(self, job: Job) -> None:
        if self._hub_errors.ended(job):
            self._messages.guard(self._check)
        if (failure := job.progress.failure) and failure.kind == "ModelNotFound":
            self._models.recheck(self._form.model)
        self._spending.update(self._verdict.request)
        self._messages.guard(self._results.ended)

    # --- messages -----------------------------------------------------------------------------------------------------

    def _on_piece(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        reply, file = self._uploads.piece(content, bytes(buffers[0]) if buffers else b"")
        if file is not None:
            name, data = file
            asset = replace(Asset.from_bytes(data, given=name, kind=media_of(content)), name=name)
            reply = {"kind": "stored", "id": content["id"], "key": self._add_asset(asset)}
        self.widget.send(reply)

    def _on_fetch(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        try:
            key = self._add_asset(Asset.parse(str(content.get("source", "")).strip(), media_of(content)))
        except ImageError as exc:
            self._messages.send("refused", id=content.get("id"), reason=f"{exc} – {exc.remedy}")
        else:
            self._messages.send("stored", id=content.get("id"), key=key)

    def _add_asset(self, asset: Asset) -> str:
        key = self._assets.put(asset)
        self.widget.labels = self._assets.labels(self._form.model)
        return key

    def _on_submit(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        press, action, draft = str(content.get("id")), str(content.get("action")), dict(content.get("draft") or {})
        if not self._guard.admit(press, action, draft):
            self._messages.send("submitted", id=press, jobs=0)
            return
        jobs: list[Job] = []
        question: str | None = None
        try:
            self.widget.draft = {**self._draft, **draft}  # the message with the last edit may still be on its way
            self._messages.clear_alert()
            verdict = self._check()
            if action == "preview":
                jobs = self._start(action, _valid_for_preview(verdict))
            else:
                request, shown = _valid(verdict), str(content.get("price"))
                question = self._spending.question(verdict, shown, confirmed=bool(content.get("confirmed")))
                if question is None:
                    jobs = self._start(action, request)
        finally:
            self._guard.release(asked=bool(question))
            first = jobs[0].id if jobs else ""
            self._messages.send("submitted", id=press, jobs=len(jobs), first=first, question=question or "")

    def _on_code(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self.widget.send(code_reply(content, self._check(), self._controller))


#: The panel that was displayed last, if any.
_active: list[weakref.ref[Panel]] = []


def open_panel() -> Panel:
    """Return the panel that was displayed last. Raises `KlingError` if there is none or it is gone."""
    panel = _active[0]() if _active else None
    if panel is None:
        raise KlingError("No panel is open. Run kn.panel() in a cell, then try again.")
    return panel


def _valid(verdict: Verdict) -> Request:
    if verdict.request is None or _errors(verdict.problems):
        raise RequestError(_errors(verdict.problems) or verdict.problems)
    return verdict.request


def _valid_for_preview(verdict: Verdict) -> Request:
    """Return the request for a preview, which needs no model at the hub."""
    return _valid(replace(verdict, problems=tuple(each for each in verdict.problems if each.path != ("model",))))


def _errors(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity == "error")


def _extra_text(extra: Mapping[str, Any]) -> str:
    """Return the fields that are sent but not shown as text: `resolution = 4k`."""
    shown = {name: value.given if isinstance(value, Asset) else value for name, value in extra.items()}
    return ", ".join(f"{name} = {value}" for name, value in shown.items())
