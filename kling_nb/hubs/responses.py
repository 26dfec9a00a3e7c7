"""Reading of the hub's responses: JSON, or one of our errors (hub-api.md section 5)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx

from kling_nb import errors
from kling_nb.models.urls import redact_urls, without_keys

#: What JSON, a database or a file cannot hold: control characters, and halves of surrogate pairs.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
#: An answer is read to this depth. No contract nests as deep, and later code would fail on it.
_DEEPEST = 64
#: The provider that takes a key by each scheme of authorization, and the variable that the key is read from.
_KEYS: Mapping[str, tuple[str, str]] = {"Bearer": ("Oxen.ai", "OXEN_API_KEY"), "Key": ("fal.ai", "FAL_KEY")}
_NEVER_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol
)  # fmt: skip


def read_json(response: httpx.Response) -> dict[str, Any]:
    """Return the response's JSON object. Raises the `HubError` for its status, or `ServerError` for other content.

    A redirect is an error too.
    """
    _check(response)
    answer = json_of(response)
    if not isinstance(answer, dict):
        message = "The hub's response is not a JSON object; a proxy may have answered instead."
        raise errors.ServerError(message, status=response.status_code, body=_body(response)[:300])
    return cast("dict[str, Any]", answer)


def read_status(response: httpx.Response) -> dict[str, Any]:
    """Return nothing for a success, whatever its body. Raises as `read_json` does for any other status."""
    _check(response)
    if is_page(response):  # from a proxy, which did not pass the request on
        raise errors.ServerError(f"The hub did not respond: {_text_of(response)}", status=response.status_code)
    return {}


def parsed(text: str, key: str) -> Any:
    """Return the value of a JSON text of the hub's, cleaned; None if it cannot be read, or is nested too deeply."""
    try:
        return _cleaned(json.loads(text), key)
    except (ValueError, RecursionError):
        return None


def clean_text(text: str, key: str) -> str:
    """Return a text of the hub's without the key, and without characters that a record or a file cannot hold."""
    secret = key.rpartition(":")[2]  # fal's key is an id and a secret
    return _UNWRITABLE.sub("\ufffd", without_keys(text, [key, secret]))


def _cleaned(value: Any, key: str, depth: int = 0) -> Any:
    """Return a JSON value that a record can keep: clean texts, and None for infinite numbers and deep nesting."""
    match value:
        case str():
            return clean_text(value, key)
        case float() if not math.isfinite(value):
            return None
        case list() | dict() if depth == _DEEPEST:
            return None
        case list():
            return [_cleaned(item, key, depth + 1) for item in cast("list[Any]", value)]
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {clean_text(name, key): _cleaned(item, key, depth + 1) for name, item in items}
        case _:
            return value


def key_of(answer: Any) -> str:
    """Return the key of the hub that a response or an error is from: the hub, or a proxy, may quote it."""
    if key := getattr(answer, "extensions", {}).get("key"):
        return key.get_secret_value()
    try:
        return answer.request.headers.get("authorization", "").partition(" ")[2]
    except (AttributeError, RuntimeError):  # without a request
        return ""


def json_of(response: httpx.Response) -> Any:
    """Return the response's JSON value, cleaned; None if it cannot be read."""
    return parsed(_decoded(response), key_of(response))


def _decoded(response: httpx.Response) -> str:
    """Return the body as text; one wrong byte in it must not make the rest unreadable."""
    return response.content.decode(json.detect_encoding(response.content), "replace")


def _check(response: httpx.Response) -> None:
    if response.has_redirect_location:
        raise _redirected(response)
    if response.is_error:
        raise error_of(response)


def error_of(response: httpx.Response) -> errors.HubError:
    """Return the error for a response that is not a success."""
    status, body = response.status_code, _body(response)[:300]
    message = message_of(response)
    wait = seconds_of(response.headers.get("retry-after"), datetime.now(UTC))
    if model := re.search(r"Model not found: ?(.*)", message):
        return errors.ModelNotFound(model[1].strip(), body=body)
    match status:
        case 401:
            return key_rejected(response, message, status=status, body=body)
        case 402:
            return errors.CreditError(f"{message} Add credits at the hub, then try again.", status=status, body=body)
        case 404 if is_page(response):
            return errors.NotAHub(f"No hub at this address (404): {message}", status=status, body=body)
        case 404:
            return errors.NotFound(message, status=status, body=body)
        case 426:
            return errors.UpdateRequired(f"The hub requires a newer client: {message}", status=status, body=body)
        case 429:
            return errors.RateLimited(message, retry_after=wait, status=status, body=body)
        case 408:  # it gave up in the middle of the request: how much it had read is unknown
            return errors.ServerError(f"The hub timed out (408): {message}", status=status, body=body)
        case _ if status >= 500 and not message.startswith("Getting model response error"):
            return errors.ServerError(
                f"The hub failed ({status}): {message}", retry_after=wait, status=status, body=body
            )
        case _:
            return errors.InvalidParams(message, status=status, body=body)


def key_rejected(response: httpx.Response, message: str, **facts: Any) -> errors.AuthError:
    """Return the error for a key that a provider does not accept, with the variable that has it."""
    try:
        scheme = response.request.headers.get("authorization", "").partition(" ")[0]
    except RuntimeError:  # without a request
        scheme = ""
    provider, variable = _KEYS.get(scheme, ("The hub", "key"))
    end = "" if message.endswith((".", "!", "?")) else "."
    return errors.AuthError(f"{provider} rejected the key: {message}{end} Set a valid {variable}.", **facts)


def message_of(response: httpx.Response) -> str:
    """Return the message: detail, message, title, error string, `status_message`, or the body's first characters."""
    answer = json_of(response)
    if not isinstance(answer, dict):
        return _text_of(response)
    error = answer.get("error")
    within = error if isinstance(error, dict) else {}
    for text in (*(within.get(name) for name in ("detail", "message", "title")), error, answer.get("status_message")):
        if isinstance(text, str) and text.strip():
            return text.strip()
    return _text_of(response)


def is_page(response: httpx.Response) -> bool:
    """Whether the response is a web page, as a proxy or another server at that address sends it."""
    return "<html" in _body(response)[:500].lower()


def _body(response: httpx.Response) -> str:
    """Return the body, cleaned; of JSON without its escapes, behind which the key could hide."""
    answer, key = json_of(response), key_of(response)
    return clean_text(response.text, key) if answer is None else json.dumps(answer, ensure_ascii=False)


def _redirected(response: httpx.Response) -> errors.HubError:
    """Return the error for a redirect; the hub may have carried the request out before a 302 or 303."""
    location = clean_text(redact_urls(response.headers.get("location", "")), key_of(response))[:200] or "another URL"
    message = f"The hub redirected to {location}. Redirects are not followed; set KLING_NB_HUB to the final URL."
    kind = errors.ServerError if response.status_code in (302, 303) else errors.HubError
    return kind(message, status=response.status_code)


def _text_of(response: httpx.Response) -> str:
    if is_page(response):
        title = re.search(r"<title>(.*?)</title>", _body(response), re.IGNORECASE | re.DOTALL)
        return f"received a web page instead of JSON{f' ({title[1].strip()[:80]})' if title else ''}"
    return _body(response)[:300].strip() or f"HTTP {response.status_code} (empty body)"


def date_of(response: httpx.Response) -> datetime | None:
    """Return the response's `Date`, None without a valid one."""
    try:
        date = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header (a number or an HTTP date), None without a valid one."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        pass
    else:
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        return max((parsedate_to_datetime(retry_after) - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def transport_error(
    exc: httpx.TransportError | httpx.DecodingError | TimeoutError, *, at: str, key: str = ""
) -> errors.HubError:
    """Return `Unreachable` when nothing was sent, else `NoResponse`: the hub may have acted."""
    each: BaseException | None = exc
    while each:  # HTTP libraries quote what they could not read
        each.args = tuple(clean_text(str(arg), key) for arg in each.args)
        each = each.__cause__ or each.__context__
    if isinstance(exc, _NEVER_SENT):
        return errors.Unreachable(f"Cannot connect to {at}: {exc or type(exc).__name__}.")
    return errors.NoResponse(f"No response from {at} ({type(exc).__name__}).")
