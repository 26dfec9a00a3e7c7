"""Every error that this package raises, in one tree, by what you can do about it.

* `KlingError`
    + `RequestError`             fix the request: `.problems` lists all that is wrong; nothing was spent
    + `ArgumentError`            an argument has an invalid value; a `ValueError` too
    + `ArgumentTypeError`        an argument has the wrong type; a `TypeError` too
    + `SettingsError`            fix a setting: a URL, a folder, an unreadable key
    + `BudgetError`              one of your spending limits refused the request
    + `HubError`                 the hub responded with an error, or not at all
        - `AuthError`            401: check the key
        - `CreditError`          402: top up the account
        - `NotFound`             404
            · `ModelNotFound`    the model is not in the catalogue: `.alternatives` has others
        - `UpdateRequired`       426: the hub took the client for an old command-line tool
        - `InvalidParams`        400, 415, 422: the hub refused the request
        - `RateLimited`          429: wait `.retry_after` seconds
        - `ServerError`          5xx, or a response that is not JSON
            · `NotAHub`          404 with a web page: the address is not that of a hub
        - `Unreachable`          no connection was made; nothing was sent
        - `NoResponse`           the request was sent, but no response arrived
        - `RequestCancelled`     the request was cancelled before the hub accepted it
    + `TransferError`            a file did not arrive completely, or has the wrong kind
        - `TransferStopped`      it is larger than any clip, or arrives too slowly
    + `JobError`                 a job ended without a clip
        - `JobFailed`            the hub or the model could not make the clip
        - `JobCancelled`
        - `JobUncertain`         it is unclear whether the hub accepted the job
    + `WaitTimeout`              the wait ended before the job, which continues
    + `LogError`                 the record store cannot be read or written
        - `NotSaved`             nothing is saved under this name or ID; a `KeyError` too
    + `ExchangeError`            a file cannot be exported, imported or saved
    + `MissingExtra`             an optional package is not installed; an `ImportError` too
    + `NotApplicable`            raised by a scorer that cannot judge a clip

`RequestWarning` is not an error: it warns about a request that is sent all the same.
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
    """A request would fail or cost money for nothing. Nothing was sent; `problems` lists every error, then warnings."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def _shown(self) -> list[str]:
        return ["RequestError: nothing was sent", *(f"  {problem.mark} {problem}" for problem in self.problems)]


class ArgumentError(KlingError, ValueError):
    """An argument has an invalid value."""


class ArgumentTypeError(KlingError, TypeError):
    """An argument has the wrong type."""


class SettingsError(KlingError, ValueError):
    """A setting cannot be used; the message names its source."""


class BudgetError(KlingError):
    """A spending limit refused the request. Nothing was sent.

    Attributes:
        asked: The price of the request in dollars; None if it is not known.
        left: The dollars left under the limit; None if the price is not known.
        limit: The name of the limit: `job`, `notebook`, `day`, `total`, `plan` or `unknown price`.
    """

    def __init__(
        self, message: str, *, asked: Decimal | None = None, left: Decimal | None = None, limit: str = ""
    ) -> None:
        self.asked = asked
        self.left = left
        self.limit = limit
        super().__init__(message)


class HubError(KlingError):
    """The hub responded with an error, or not at all.

    Attributes:
        status: The HTTP status; None without a response.
        body: The beginning of the response.
        retry_after: The seconds to wait before a retry, if the hub gave them.
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
    """402: the account has no credits left."""


class NotFound(HubError):
    """404: there is no such generation, file or repository."""


class ModelNotFound(NotFound):
    """404 `Model not found: <name>`; `alternatives` are the IDs of similar models in the catalogue.

    `hint` says what to write instead: the model with nearly the same name, if there is one.
    """

    def __init__(self, model: str, *, alternatives: Sequence[str] = (), body: str = "") -> None:
        self.model = model
        self.alternatives = tuple(alternatives)
        self.hint = ""
        if get_close_matches(model, self.alternatives[:1], cutoff=0.8):
            self.hint = f"Did you mean {self.alternatives[0]!r}?"
        elif self.alternatives:
            self.hint = f"The catalogue has {', '.join(self.alternatives)}."
        super().__init__(f"The hub does not know the model {model!r}. {self.hint}".strip(), status=404, body=body)


class UpdateRequired(HubError):
    """426: the hub took this client for an old version of its command-line tool."""


class InvalidParams(HubError):
    """400, 415 or 422: the hub refused the request."""


class RateLimited(HubError):
    """429: too many requests; wait `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = 429, body: str = ""):
        super().__init__(message, status=status, body=body, retry_after=retry_after)


class ServerError(HubError):
    """5xx, or a response that does not follow the contract."""


class NotAHub(ServerError):
    """404 with a web page: the address is not that of a hub. Nothing was done there, and no job is failed by it."""


class Unreachable(HubError):
    """No connection was made, so nothing was sent or billed."""


class NoResponse(HubError):
    """The request was sent, but no response arrived: the hub may have accepted it."""


class RequestCancelled(HubError):
    """The request was cancelled before a retry; the hub has not accepted it."""


class TransferError(KlingError):
    """A file did not arrive completely; the next attempt continues where this one ended."""


class TransferStopped(TransferError):
    """A download was stopped: the file is larger than any clip, or arrives too slowly. Nothing of it is kept."""


class JobError(KlingError):
    """A job ended without a clip."""

    def __init__(self, message: str, *, job_id: str, **data: Any) -> None:
        self.job_id = job_id
        self.data = data
        super().__init__(message)


class JobFailed(JobError):
    """The hub or the model could not make the clip; the message is the hub's, with a remedy."""


class JobCancelled(JobError):
    """The job was cancelled."""


class JobUncertain(JobError):
    """It is not known whether the hub has the job: its answer was lost, or its queue does not show the job now."""


class WaitTimeout(KlingError, TimeoutError):
    """The wait ended before the job. The job continues; `job.result()` waits again."""


class LogError(KlingError):
    """The record store cannot be read or written."""


class RunByAnother(LogError):
    """A request was not sent from this kernel, since another one may send it, or has."""


class NotSaved(LogError, KeyError):
    """No record, plan or saved value has this name or ID."""

    __str__ = Exception.__str__  # that of KeyError quotes the message


class ExchangeError(KlingError):
    """A file cannot be exported, imported or saved: it cannot be read or written, or its content is not valid."""


class MissingExtra(KlingError, ImportError):
    """An optional package is not installed; the message has the command that installs it."""


class NotApplicable(KlingError):
    """Raised by a scorer that cannot judge a clip: `the clip has no sound`. Other scorers continue."""


class RequestWarning(UserWarning):
    """A request is allowed, but probably not intended; `kn.lint` returns it as a warning."""


class LogWarning(UserWarning):
    """The log in use is new, while records of the notebook are in another one."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` with the most similar of the known names, or an empty string."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


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
