"""What the hub's answers mean: JSON, or one of our errors (HUB_API section 5)."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from kling_nb import errors
from kling_nb.models.urls import public_text

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def read_json(response: httpx.Response) -> dict[str, Any]:
    """Return the answer's JSON object. Raises the `HubError` that fits its status, or `HubFault` for no JSON.

    A redirect is an error too.
    """
    if response.has_redirect_location:
        raise _moved(response)
    if response.is_error:
        raise error_of(response)
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise errors.HubFault(
            "The hub answered with something that is not JSON; a proxy may stand between.",
            status=response.status_code,
            body=_body(response)[:300],
        )
    return answer


def read_status(response: httpx.Response) -> dict[str, Any]:
    """Return nothing for a success, whatever its body. Raises as `read_json` does for all else."""
    if response.has_redirect_location:
        raise _moved(response)
    if response.is_error:
        raise error_of(response)
    if _is_page(response):  # of a proxy, which has not done it
        raise errors.HubFault(f"The hub did not answer: {_text_of(response)}", status=response.status_code)
    return {}


def error_of(response: httpx.Response) -> errors.HubError:
    """Return the error for a response that is not a success."""
    status, body = response.status_code, _body(response)[:300]
    said = message_of(response)
    wait = retry_after(response.headers.get("retry-after"), datetime.now(UTC))
    if model := re.search(r"Model not found: ?(.*)", said):
        return errors.ModelNotFound(model[1].strip(), body=body)
    match status:
        case 401:
            return errors.AuthError(f"The hub does not accept the key: {said}", status=status, body=body)
        case 402:
            return errors.CreditError(f"{said} Top up at the hub, then run it again.", status=status, body=body)
        case 404 if _is_page(response):
            return errors.NoHub(f"The hub has trouble (404): {said}", status=status, body=body)
        case 404:
            return errors.NotFound(said, status=status, body=body)
        case 426:
            return errors.UpdateRequired(f"The hub asks for a newer client: {said}", status=status, body=body)
        case 429:
            return errors.RateLimited(said, retry_after=wait, status=status, body=body)
        case 408:  # it gave up on us in the middle: nobody knows what it had read
            return errors.HubFault(f"The hub timed out (408): {said}", status=status, body=body)
        case _ if status >= 500 and not said.startswith("Getting model response error"):
            said = f"The hub has trouble ({status}): {said}"
            return errors.HubFault(said, retry_after=wait, status=status, body=body)
        case _:
            return errors.InvalidParams(said, status=status, body=body)


def message_of(response: httpx.Response) -> str:
    """Return the message: detail, message, title, error string, `status_message`, or the body's first characters."""
    try:
        answer = json.loads(_body(response))
    except ValueError:
        return _text_of(response)
    if not isinstance(answer, dict):
        return _text_of(response)
    fault = answer.get("error")
    within = fault if isinstance(fault, dict) else {}
    for said in (within.get("detail"), within.get("message"), within.get("title"), fault, answer.get("status_message")):
        if isinstance(said, str) and said.strip():
            return said.strip()
    return _text_of(response)


def _is_page(response: httpx.Response) -> bool:
    """Whether a web page came: of a proxy, or of whatever else stands at that address."""
    return "<html" in _body(response)[:500].lower()


def _body(response: httpx.Response) -> str:
    """The body without the key: what a proxy echoes of a request must not get into a message or a record."""
    try:
        key = response.request.headers.get("authorization", "").removeprefix("Bearer ")
    except RuntimeError:  # one that answers no request
        key = ""
    return response.text.replace(key, "…") if key else response.text


def _moved(response: httpx.Response) -> errors.HubError:
    """A redirect is not followed: the key would go along. 302 and 303 may come after something was carried out."""
    there = public_text(response.headers.get("location", ""))[:200]
    said = f"The hub's address leads on to {there or 'nowhere'}: set KLING_NB_HUB to the address that answers itself."
    kind = errors.HubFault if response.status_code in (302, 303) else errors.HubError
    return kind(said, status=response.status_code)


def _text_of(response: httpx.Response) -> str:
    if _is_page(response):
        title = re.search(r"<title>(.*?)</title>", _body(response), re.IGNORECASE | re.DOTALL)
        return f"a web page came instead of an answer{f' ({title[1].strip()[:80]})' if title else ''}"
    return _body(response)[:300].strip() or f"HTTP {response.status_code} without a word"


def date_of(response: httpx.Response) -> datetime | None:
    """Return the moment of the answer on the hub's clock, None where it does not say."""
    try:
        date = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (a number or an HTTP date), None without one."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        return max((parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def transport_error(exc: httpx.TransportError | httpx.DecodingError, *, at: str) -> errors.HubError:
    """Return `Unreachable` when nothing was sent, else `ReplyLost`: the hub may have acted."""
    if isinstance(exc, _NEVER_SENT):
        return errors.Unreachable(f"No connection to {at}: {exc or type(exc).__name__}.")
    return errors.ReplyLost(f"The answer from {at} did not arrive ({type(exc).__name__}).")
