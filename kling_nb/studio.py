"""`Studio`: every verb of `kn.`, each one line that calls a feature with the session.

This is the public interface in one place, so its docstrings make it longer than other modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from pydantic import SecretStr

from kling_nb import generation
from kling_nb.actions import StudioActions
from kling_nb.connection import HubAccess
from kling_nb.engine.engine import DEADLINE
from kling_nb.engine.job import Clip, Job, Jobs
from kling_nb.generation import RequestLike
from kling_nb.hubs.upload import UploadMethod
from kling_nb.models.asset import Asset
from kling_nb.models.field_docs import FIELD_DOCS
from kling_nb.models.price import Estimate
from kling_nb.models.record import Record
from kling_nb.models.request import DEFAULTS, Request, RequestFields, SingleFields
from kling_nb.models.signatures import lists_keywords
from kling_nb.notebook.display import Problems, Storyboard
from kling_nb.preferences import Options
from kling_nb.selection import LogAccess, RecordsLike
from kling_nb.session import Session
from kling_nb.settings import hidden
from kling_nb.store.filters import Search
from kling_nb.store.log import UNSET, Log

if TYPE_CHECKING:
    from kling_nb.exchange.team import Sharing
    from kling_nb.render.team import Synced, TeamInfo
    from kling_nb.store.merge import MergeReport
    from kling_nb.sweeps.axes import How
    from kling_nb.sweeps.plan import Plan
    from kling_nb.sweeps.spending import Budget, By, Spending
    from kling_nb.ui.compare import CompareView
    from kling_nb.ui.gallery.gallery import Gallery
    from kling_nb.ui.library import Elements, Presets
    from kling_nb.ui.panel.panel import Panel


class Studio:
    """A hub, a log, and the verbs over them. `kn.generate` and the other verbs of `kn` use a shared studio.

    Making a studio opens nothing; its first use does.

    Args:
        key: The API key of the hub in use. By default `OXEN_API_KEY` or `FAL_KEY` from the environment, `.env` or the
            system keyring.
        hub: The hub in use: `"oxen"`, `"fal"`, `"local"`, or a base URL. By default `KLING_NB_HUB`; else the first
            provider that has a key, or the local hub if none has one.
        log: The log's folder. By default `KLING_NB_LOG`; else `kling_log/` next to the notebook.
        database: The address of a team's database, `"postgresql://host/name"`. By default `KLING_NB_DATABASE`; without
            one the log is the folder. Its password is read from where PostgreSQL's own tools read it.
        media: The address of a team's media, `"s3://bucket/prefix"`. By default `KLING_NB_MEDIA`.
        upload: How local images reach the hub: `"workbench"`, `"repository"`, `"data-uri"`, or a function that takes
            an image (with its `data`, `media_type` and `name`) and returns a URL.
        deadline: Seconds that the hub may work on a job before it is asked to cancel it.

    Raises:
        SettingsError: A value cannot be used. Those that are not given are read at the first use.
    """

    def __init__(
        self,
        *,
        key: str | SecretStr | None = None,
        hub: str | None = None,
        log: str | Path | None = None,
        database: str | SecretStr | None = None,
        media: str | None = None,
        upload: UploadMethod = "workbench",
        deadline: float = DEADLINE,
    ) -> None:
        key, database = hidden(key), hidden(database)
        given = {"key": key, "hub": hub, "log": log, "database": database, "media": media}
        self.session = Session(StudioActions, given, upload, deadline)

    # Make

    def panel(self, source: Request | Record | Clip | Job | Mapping[str, Any] | str | None = None) -> Panel:
        """Return a panel that builds a request, with its price and its problems as you type.

        Args:
            source: A request, its fields, a record, a clip or a job to fill the panel with. A single word is a record
                ID. Other text is read as code (a cURL command, JSON, or a Python call), else it is the prompt. Parts
                of the code that are not understood are listed in the panel.

        Raises:
            NotSaved: The log has no record of that ID.
        """
        from kling_nb.ui import entry

        return entry.panel(self.session, source)

    def storyboard(self, text: str, *, duration: int | None = None, model: str | None = None) -> Storyboard:
        """Read a screenplay, a shot list, time ranges, a table or a prompt as shots with seconds, for free.

        The result is a mapping of fields that `generate`, `panel`, `lint` and `sweep` take.

        Args:
            text: The text. References may be written in any way (`@Image 1`, `<<<image_1>>>`, `Mara = @Image1`).
            duration: Seconds of the whole clip. By default the times in the text, or what its shots need.
            model: The model, whose limits are kept; by default Kling O3 Pro reference-to-video.

        Example:
            >>> board = kn.storyboard("[0-3s] @Image1 wakes up. [3-7s] She opens the window.")
            >>> kn.generate(board, input_image=["face.png"])
        """
        return generation.storyboard(self.session, text, duration=duration, model=model)

    @overload
    def generate(self, request: RequestLike = None, /, **fields: Unpack[SingleFields]) -> Job: ...
    @overload
    def generate(
        self, request: RequestLike = None, /, *, num_generations: Literal[1], **fields: Unpack[SingleFields]
    ) -> Job: ...
    @overload
    def generate(
        self, request: RequestLike = None, /, *, num_generations: Literal[2, 3, 4], **fields: Unpack[SingleFields]
    ) -> Jobs: ...
    @overload
    def generate(
        self, request: RequestLike = None, /, *, num_generations: int, **fields: Unpack[SingleFields]
    ) -> Job | Jobs: ...
    @lists_keywords(RequestFields, DEFAULTS, FIELD_DOCS)
    def generate(self, request: RequestLike = None, /, **fields: Any) -> Job | Jobs:
        """Start a generation and return its job at once. This spends what `price` returns.

        Args:
            request: A request, its fields in a mapping, or the prompt.
            fields: Fields of the model that `model=` names; they override the request's.

        Returns:
            The job; with `num_generations` above 1, all of them as `Jobs`.

        Raises:
            RequestError: The request has errors; the exception has all of them, and nothing was sent.
            BudgetError: A budget does not allow it.

        Example:
            >>> job = kn.generate("@Image1 turns to the camera", input_image=["face.png"], duration=5)
            >>> clip = job.result()
        """
        return generation.generate(self.session, request, fields)

    @lists_keywords(RequestFields, DEFAULTS)
    def preview(self, request: RequestLike = None, /, **fields: Unpack[RequestFields]) -> Job:
        """Draw a free animatic of the request on the local hub: images in motion, shots at their length, captions.

        Takes what `generate` takes.
        """
        return generation.preview(self.session, request, fields)

    @lists_keywords(RequestFields, DEFAULTS)
    def lint(self, request: RequestLike = None, /, **fields: Unpack[RequestFields]) -> Problems:
        """Return every error and warning of a request without sending anything.

        Takes what `generate` takes. Models without their own class are checked against the schema of the hub's
        catalogue, if the hub can be reached.
        """
        return generation.lint(self.session, request, fields)

    @lists_keywords(RequestFields, DEFAULTS)
    def price(self, request: RequestLike = None, /, **fields: Unpack[RequestFields]) -> Estimate:
        """Return the price of a request, by the hub's live price list if it can be reached.

        Takes what `generate` takes.

        Raises:
            RequestError: The request has errors.
        """
        return generation.price(self.session, request, fields)

    def resume(self) -> Jobs:
        """Continue every unfinished job of the log and return them; fetch the clips that are finished.

        Nothing that may have been sent is sent again. A job that another running kernel holds is followed: it shows
        what happens there, and is continued here when that kernel is gone. Jobs of another hub are left alone and
        counted in a note.
        """
        return generation.resume(self.session)

    def gather(self, *jobs: Job | Iterable[Job]) -> Jobs:
        """Join jobs, so that `kn.gather(a, b).result()` or `await kn.gather(a, b)` waits for all of them.

        Raises:
            ArgumentTypeError: One of them is not a job.
        """
        return generation.gather(self.session, jobs)

    def fit_image(self, image: Any) -> Asset:
        """Return an image changed so that the model accepts it: converted, padded to an allowed ratio, or shrunk.

        Use the result in place of the image; `.fixes` lists the changes. An image is never enlarged.

        Args:
            image: A path, a URL, bytes, a PIL image or an array.

        Raises:
            RequestError: The image cannot be made to fit.
        """
        return generation.fit_image(image)

    # Look

    @property
    def log(self) -> LogAccess:
        """The log: `log("camera", stars=4)` returns records; `log.verify()` and `log.rebuild()` maintain it."""
        return LogAccess(self.session)

    @lists_keywords(Search)
    def gallery(self, words: str | None = None, /, **filters: Unpack[Search]) -> Gallery:
        """Return the clips of the log as a gallery: search, play, rate, tag, compare, make again.

        Takes the filters of `log`.
        """
        from kling_nb.ui import entry

        return entry.gallery(self.session, self.log(words, **filters))

    def compare(self, *clips: RecordsLike) -> CompareView:
        """Play 2 to 9 clips in sync, with their differences below.

        Args:
            clips: Records, clips, jobs, plans, record IDs, or lists of them.

        Raises:
            KlingError: There are fewer or more clips, or a record has none.
        """
        from kling_nb.ui import entry

        return entry.compare(self.session, clips)

    # Plan

    @lists_keywords(RequestFields, DEFAULTS)
    def sweep(
        self,
        base: Request | Record | Mapping[str, Any] | str | None = None,
        axes: Mapping[str, Any] | None = None,
        /,
        *,
        how: How = "grid",
        rows: Any = None,
        draws: int | None = None,
        seed: int = 0,
        repeat: int = 1,
        **more: Any,
    ) -> Plan:
        """Plan many requests, check them all and add up their price; `plan.run()` makes the clips.

        Args:
            base: A prompt, fields, a request or a record. The prompt may have placeholders: `"{subject} walks"`.
            axes: Values by field path, such as `{"multi_prompt.0.duration": [2, 3]}`.
            how: `"grid"` for every combination, `"zip"` for one after another, `"random"` for draws.
            rows: Points as mappings, a DataFrame or a CSV file (a column for each field or slot), instead of axes.
            draws: The number of random points.
            seed: Seed of the random points.
            repeat: Clips of each point.
            more: Axes by field or placeholder (`duration=[5, 10]`, `subject=["a cat", "a dog"]`).

        Raises:
            ArgumentError, ArgumentTypeError: An argument or an axis is not valid. Errors of cells are in `plan.errors`.
        """
        from kling_nb.sweeps.plan import sweep

        return sweep(self.session, base, axes, more, how=how, rows=rows, draws=draws, seed=seed, repeat=repeat)

    def plan(self, plan_id: str) -> Plan:
        """Return a plan that was run before, by its ID or the beginning of it.

        Raises:
            NotSaved: The log has no such plan; the message lists the plans.
        """
        from kling_nb.sweeps.design import from_stored
        from kling_nb.sweeps.plan import Plan

        store = self.session.store
        return Plan(self.session, from_stored(store.plans.get(plan_id), store.read))

    def budget(
        self,
        *,
        job: Any = UNSET,
        notebook: Any = UNSET,
        person: Any = UNSET,
        day: Any = UNSET,
        total: Any = UNSET,
        unknown_ok: Any = UNSET,
    ) -> Budget:
        """Set limits in dollars and return all limits. They hold in every kernel that uses the log.

        Args:
            job: Limit for one request; None removes a limit.
            notebook: Limit for each notebook.
            person: Limit for each person, by the name in their records.
            day: Limit for each day; of a team, each day of UTC.
            total: Limit for the log.
            unknown_ok: Whether a request whose price is unknown is allowed.

        Raises:
            SettingsError: A limit is not an amount of dollars.
        """
        from kling_nb.sweeps.spending import budget

        given = {"job": job, "notebook": notebook, "person": person, "day": day, "total": total}
        given["unknown_ok"] = unknown_ok
        return budget(self.session, {name: value for name, value in given.items() if value is not UNSET})

    def spending(self, by: By = "day") -> Spending:
        """Return what was spent by `"day"`, `"notebook"`, `"model"`, `"plan"`, `"tag"` or `"person"`.

        Uncertain amounts are listed separately.

        Raises:
            ArgumentError: There is no such grouping.
        """
        from kling_nb.sweeps.spending import spending

        return spending(self.session, by)

    # Exchange

    def from_video(self, file: str | Path) -> Record:
        """Return the record that `record.save()` wrote into a clip's file, on any machine.

        The file is not trusted: its record is checked, and only shown as text.

        Raises:
            ExchangeError: The file has no record.
        """
        from kling_nb.exchange import mp4

        return mp4.from_video(self.session, file)

    def import_log(self, source: str | Path) -> MergeReport:
        """Import a crate (a folder or `.zip`) or a `.jsonl` file into the log and return what was added.

        The source is not trusted: parts that are not sound are left out and listed. What was paid elsewhere does not
        count as spending here. A second import of the same source changes nothing.

        Raises:
            ArgumentError, ExchangeError: The source is not such a file, or cannot be read.
        """
        from kling_nb.exchange import importer

        return importer.import_log(self.session, source)

    # Team

    def team(self) -> TeamInfo:
        """Return who shares the team's log and where it is, and what waits to be sent to it.

        Raises:
            SettingsError: The log is not a team's.
            LogError: The database cannot be reached.
        """
        from kling_nb.exchange import team

        return team.team(self.session)

    def sync(self) -> Synced:
        """Send what waits on this machine to the team's log, now, and return what was sent.

        It is sent by itself, too. Anything that could not be sent waits, and is in the result's `problems`.

        Raises:
            SettingsError: The log is not a team's.
            LogError: The database cannot be reached.
        """
        from kling_nb.exchange import team

        return team.sync(self.session)

    def share(self, database: str | SecretStr, media: str) -> Sharing:
        """Return what bringing this folder's log into a team's would do; `.run()` does it.

        Args:
            database: `"postgresql://host/name"`; its password is read from where PostgreSQL's own tools read it.
            media: `"s3://bucket/prefix"`; its keys are read from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.

        Raises:
            ArgumentError: An address is not valid, or the log is a team's already.
            LogError: The database cannot be reached.
        """
        from kling_nb.exchange import team

        return team.share(self.session, hidden(database), media)

    # Settings and saved values

    @property
    def presets(self) -> Presets:
        """Requests saved by name: `kn.presets["walk"] = request`, `kn.panel(kn.presets["walk"])`."""
        from kling_nb.ui.library import Presets

        return Presets(self.store, self.session.display.links)

    @property
    def elements(self) -> Elements:
        """Characters and objects saved by name: `kn.elements["mara"] = kn.Element(...)`."""
        from kling_nb.ui.library import Elements

        return Elements(self.store, self.session.display.links)

    @property
    def options(self) -> Options:
        """Options of the log: `kn.options.confirm_above = "5.00"`."""
        return Options(self.store)

    @property
    def hub(self) -> HubAccess:
        """The hub: `hub()` returns which one answers, `hub.models()` its models."""
        return HubAccess(self.session)

    # The studio itself

    @property
    def store(self) -> Log:
        """The record store behind `log`."""
        return self.session.store

    def close(self) -> None:
        """Stop the background loop and close the log. Jobs at the hub continue; `resume` continues them."""
        self.session.close()

    def __repr__(self) -> str:
        # The key is never shown, nor the address, which may hold a password.
        session = getattr(self, "session", None)  # a traceback may show a studio whose settings were refused
        given = {name: value for name, value in session.given.items() if value} if session else {}
        shown = {name: repr(str(value)) if name == "log" else "…" for name, value in given.items()}
        return f"Studio({', '.join(f'{name}={value}' for name, value in shown.items())})"
