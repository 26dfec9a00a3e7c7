"""Reading of fal's answers: JSON, or the one of our errors that fits (fal-api.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import httpx

from kling_nb import errors
from kling_nb.hubs.responses import error_of, is_page, json_of, key_rejected, read_json, seconds_of

#: Prefixes of the types of transient infrastructure errors.
_TRANSIENT = ("runner_", "internal_", "downstream_service_unavailable", "generation_timeout", "startup_timeout")
_MOST_PROBLEMS = 5


def read_fal(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of fal's answer. Raises the `HubError` for its status and its `detail`."""
    if response.is_error and not is_page(response) and isinstance(answer := json_of(response), dict):
        raise _error_of(response, cast("dict[str, Any]", answer))
    return read_json(response)


@dataclass(frozen=True)
class Outcome:
    """The end of a request, according to its result: `error` is None for a success."""

    body: Mapping[str, Any]
    error: str | None = None
    error_type: str = ""
    retryable: bool | None = None


def read_outcome(response: httpx.Response) -> dict[str, Any]:
    """Return `{"outcome": Outcome}` for a result or an error of the model; raise any other error.

    The model answers with its own status. An error of the gateway (the key, the account, the rate, a proxy) says
    nothing about the request.
    """
    answer = json_of(response)
    if not response.is_error or is_page(response) or not isinstance(answer, dict):
        return {"outcome": Outcome(read_fal(response))}
    body = cast("dict[str, Any]", answer)
    of_gateway = response.status_code in (401, 403, 404, 408, 429) and not isinstance(body.get("detail"), list)
    if of_gateway or "detail" not in body:
        raise _error_of(response, body)
    kind = str(body.get("error_type") or response.headers.get("x-fal-error-type") or _type_in(body))
    said = response.headers.get("x-fal-retryable", "").lower()
    retryable = said == "true" if said in ("true", "false") else is_transient(kind) or None
    return {"outcome": Outcome({}, message_in(body) or f"HTTP {response.status_code}", kind, retryable)}


def is_transient(error_type: str) -> bool:
    """Return whether an error of this type is transient."""
    return error_type.startswith(_TRANSIENT)


def message_in(body: Mapping[str, Any]) -> str:
    """Return fal's message: its text, or `body.image_url: field required` for each field that it names.

    The echo of the request beside it is left out.
    """
    detail = body.get("detail")
    if isinstance(detail, str):
        return detail.strip()
    if isinstance(detail, list):
        each = [
            _problem_text(cast("dict[str, Any]", one)) for one in cast("list[Any]", detail) if isinstance(one, dict)
        ]
        return "; ".join(filter(None, each[:_MOST_PROBLEMS]))
    error = body.get("error")
    if isinstance(error, dict):
        error = cast("dict[str, Any]", error).get("message")
    for text in (error, body.get("status")):
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def _problem_text(problem: Mapping[str, Any]) -> str:
    loc, text = problem.get("loc"), str(problem.get("msg") or problem.get("type") or "").strip()
    steps = [str(step) for step in cast("list[Any]", loc)] if isinstance(loc, list) else []
    kind = str(problem.get("type") or "")
    refused = f" ({kind})" if kind == "content_policy_violation" and kind not in text else ""
    where = ".".join(steps) if steps and steps[-1] not in ("root", "__root__") else ""
    return f"{where}: {text}{refused}" if where else f"{text}{refused}"


def _type_in(body: Mapping[str, Any]) -> str:
    detail = body.get("detail")
    first = cast("list[Any]", detail)[0] if isinstance(detail, list) and detail else None
    return str(cast("dict[str, Any]", first).get("type") or "") if isinstance(first, dict) else ""


def _error_of(response: httpx.Response, answer: dict[str, Any]) -> errors.HubError:
    status, message = response.status_code, message_in(answer)
    if not message:
        return error_of(response)
    known: dict[str, Any] = {"status": status, "body": message[:300]}
    wait = seconds_of(response.headers.get("retry-after"), datetime.now(UTC))
    low = message.lower()
    if status == 402 or (status == 403 and ("locked" in low or "balance" in low)):
        return errors.CreditError(f"fal.ai refuses the account: {message}", **known)
    match status:
        case 401 | 403:
            return key_rejected(response, message, **known)
        case 404:
            return errors.NotFound(message, **known)
        case 408 | 504:
            return errors.ServerError(f"fal.ai timed out ({status}): {message}", retry_after=wait, **known)
        case 429:
            return errors.RateLimited(message, retry_after=wait, body=message[:300])
        case _ if status >= 500:
            return errors.ServerError(f"fal.ai failed ({status}): {message}", retry_after=wait, **known)
        case _:
            return errors.InvalidParams(message, **known)
