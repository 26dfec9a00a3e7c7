"""Every error this package raises, in one tree, split by what you can do about it.

* `KlingError`
    + `RequestError`          mend the request: `.problems` lists all that is wrong, nothing was spent
    + `ArgumentError`         an argument has a value that cannot be used; a `ValueError` too
    + `ArgumentTypeError`     an argument is of the wrong type; a `TypeError` too
    + `SettingsError`         mend a setting: a URL, a folder, a key that cannot be read
    + `BudgetError`           a limit of yours refused the spending
    + `HubError`              the hub answered with an error, or not at all
        - `AuthError`         401: mend the key
        - `CreditError`       402: top up
        - `NotFound`          404
            · `ModelNotFound` the model is not in the catalogue: `.alternatives` names what is
        - `UpdateRequired`    426: the hub took us for an old command-line tool
        - `InvalidParams`     400, 415, 422: the hub refused the request
        - `RateLimited`       429: wait `.retry_after` seconds
        - `ServerError`          5xx, or a body that is no JSON: the hub's own trouble
            · `NotAHub`         404 with a web page: what answers is no hub, or stands before one
        - `Unreachable`       no connection was made: nothing was sent
        - `NoResponse`         the request may have been received, no answer came
        - `RequestCancelled`         it was cancelled before the hub had taken it
    + `TransferError`         a file did not arrive whole
    + `JobError`              a job ended without a clip
        - `JobFailed`         the hub said why
        - `JobCancelled`
        - `JobUncertain`      nobody knows whether the hub took it: `.job_id` to settle it
    + `WaitTimeout`           you stopped waiting; the job goes on
    + `LogError`              the record store cannot be read or written
        - `NotSaved`          there is no record or value of that name; a `KeyError` too
    + `ExchangeError`         a file cannot be exported, imported or saved
    + `MissingExtra`          an optional package is not installed; an `ImportError` too
    + `NotApplicable`         raised by a scorer: it has nothing to say of this clip, and why

`RequestWarning` is no error: a doubt about a request that is carried out all the same.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

    from kling_nb.models.problem import Problem


class KlingError(Exception):
    """The root of the tree. A cell shows the user's own lines and the message, without the frames of this package."""

    def _render_traceback_(self) -> list[str]:  # called by IPython
        return [*_user_frames(self), *self._shown()]

    def _shown(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class RequestError(KlingError, ValueError):
    """A request that would fail or cost money for nothing; raised before anything is sent."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def _shown(self) -> list[str]:
        return ["RequestError: nothing was sent", *(f"  ✗ {problem}" for problem in self.problems)]


class ArgumentError(KlingError, ValueError):
    """An argument has a value that cannot be used."""


class ArgumentTypeError(KlingError, TypeError):
    """An argument is of the wrong type."""


class SettingsError(KlingError, ValueError):
    """A setting that cannot be used, with where it came from."""


class BudgetError(KlingError):
    """A spending limit refused the request; nothing was sent.

    `asked` and `left` are dollars (None when the price is unknown), `limit` names which limit it was.
    """

    def __init__(
        self, message: str, *, asked: Decimal | None = None, left: Decimal | None = None, limit: str = ""
    ) -> None:
        self.asked = asked
        self.left = left
        self.limit = limit
        super().__init__(message)


class HubError(KlingError):
    """The hub's error, with what it said.

    `status` is the HTTP status (None when there was no answer) and `body` the first characters of the answer.
    `retry_after` is how many seconds the hub asked to be left alone for, None when it did not say.
    """

    def __init__(
        self, message: str, *, status: int | None = None, body: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.retry_after = retry_after
        super().__init__(message)


class AuthError(HubError):
    """401: the key is missing, wrong or revoked."""


class CreditError(HubError):
    """402: the account has run out of credits."""


class NotFound(HubError):
    """404: no such generation, file or repository."""


class ModelNotFound(NotFound):
    """404 `Model not found: <name>`; `alternatives` are ids that the catalogue does have."""

    def __init__(self, model: str, *, alternatives: Sequence[str] = (), body: str = "") -> None:
        self.model = model
        self.alternatives = tuple(alternatives)
        instead = f" The catalogue has {', '.join(self.alternatives)}." if self.alternatives else ""
        super().__init__(f"The hub does not know the model {model!r}.{instead}", status=404, body=body)


class UpdateRequired(HubError):
    """426: the hub took this client for its own command-line tool in an old version."""


class InvalidParams(HubError):
    """400, 415 or 422: the hub refused the request as it stands."""


class RateLimited(HubError):
    """429: too many requests; `retry_after` in seconds when the hub gave one."""

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = 429, body: str = ""):
        super().__init__(message, status=status, body=body, retry_after=retry_after)


class ServerError(HubError):
    """5xx, or an answer that is not what the contract says."""


class NotAHub(ServerError):
    """404 with a web page: what answers knows no hub's routes. Nothing was carried out, and no job is judged by it."""


class Unreachable(HubError):
    """No connection was made, so nothing was sent and nothing can have been billed."""


class NoResponse(HubError):
    """The request went out and no answer came back: it may have been carried out."""


class RequestCancelled(HubError):
    """A request that was not wanted any more was not sent again; the hub has not taken it."""


class TransferError(KlingError):
    """A file did not arrive whole; what arrived is kept for the next attempt."""


class JobError(KlingError):
    """A job ended without a clip."""

    def __init__(self, message: str, *, job_id: str, **data: Any) -> None:
        self.job_id = job_id
        self.data = data
        super().__init__(message)


class JobFailed(JobError):
    """The hub, or its model, could not make the clip; the message is theirs, with what to do."""


class JobCancelled(JobError):
    """The job was cancelled."""


class JobUncertain(JobError):
    """The answer to the enqueue was lost and the hub's list did not settle whether it was taken."""


class WaitTimeout(KlingError, TimeoutError):
    """The wait ended before the job did. The job goes on; `job.result()` waits again."""


class LogError(KlingError):
    """The record store cannot be read or written."""


class NotSaved(LogError, KeyError):
    """There is no record, plan or saved value of that name."""

    __str__ = Exception.__str__  # KeyError's own shows its message as a quoted key


class ExchangeError(KlingError):
    """A file cannot be exported, imported or saved: it cannot be read or written, or its content is not valid."""


class MissingExtra(KlingError, ImportError):
    """An optional package is not installed; the message has the command that installs it."""


class NotApplicable(KlingError):
    """Raised inside a scorer that has nothing to say of a clip: `the clip has no sound`. Other scorers go on."""


class RequestWarning(UserWarning):
    """A request that is allowed but probably not what you want; what `kn.lint` calls a doubt."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` with the nearest of the known names; nothing when none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def choose_from(name: str, known: Iterable[str]) -> str:
    """Return all the known names, and with them which was probably meant: `there are key, hub; did you mean key?`."""
    meant, every = did_you_mean(name, known), f"there are {', '.join(known)}"
    return f"{every}; {meant}" if meant else every


_PATHS = sysconfig.get_paths()
#: Code in these folders is not the user's own.
_INSTALLED = (str(Path(__file__).parent), *(_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")))


def _user_frames(exc: BaseException) -> list[str]:
    """Return the frames of the user's own code as IPython formats them; none for a cell that is one magic."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    frames = list[TracebackType]()
    step = exc.__traceback__
    while step:
        code = step.tb_frame.f_code
        if code.co_name in ("run_cell_magic", "run_line_magic"):
            del frames[-1:]
        elif not code.co_filename.startswith((*_INSTALLED, "<frozen")):
            frames.append(step)
        step = step.tb_next
    if shell is None or not frames:
        return []
    chain: TracebackType | None = None
    for frame in reversed(frames):
        chain = TracebackType(chain, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    # An exception without a cause: IPython would show the causes with all their frames. Its message comes last.
    return shell.InteractiveTB.structured_traceback(type(exc), KlingError(), chain, tb_offset=0)[:-1]
