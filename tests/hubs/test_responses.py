"""Reading of the hub's responses: every known envelope, every status, and invalid bodies."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb import errors
from kling_nb.engine.sender import may_have_accepted
from kling_nb.hubs.responses import error_of, message_of, read_json, seconds_of, transport_error
from kling_nb.hubs.upload import text_in

INVALID = "Invalid parameters supplied, please check your request and try again."
ENVELOPES: list[tuple[Any, str]] = [
    (
        {"error": {"type": "invalid_params", "title": INVALID, "detail": "Field required"}, "status": "error"},
        "Field required",
    ),
    ({"error": {"type": "invalid_params", "title": INVALID}, "status": "error"}, INVALID),
    ({"error": {"message": "Model not found: kling-x"}}, "Model not found: kling-x"),
    ({"error": "Rate limit exceeded"}, "Rate limit exceeded"),
    ({"status": "error", "status_message": "unauthenticated"}, "unauthenticated"),
    (
        {"error": {"type": "upstream", "title": "The model provider returned an error."}, "status": 502},
        "The model provider returned an error.",
    ),
    ({"generations": [], "error": {"message": "It could not be queued."}}, "It could not be queued."),
]


@pytest.mark.parametrize(("body", "message"), ENVELOPES)
def test_each_envelope_gives_its_message(body: Any, message: str) -> None:
    assert message_of(httpx.Response(400, json=body)) == message


def test_a_proxys_page_is_named_by_its_title() -> None:
    page = "<!doctype html><html><head><title>502 Bad Gateway</title></head></html>"
    assert message_of(httpx.Response(502, html=page)) == "received a web page instead of JSON (502 Bad Gateway)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidParams),
        (401, errors.AuthError),
        (402, errors.CreditError),
        (404, errors.NotFound),
        (408, errors.ServerError),
        (415, errors.InvalidParams),
        (422, errors.InvalidParams),
        (426, errors.UpdateRequired),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (502, errors.ServerError),
        (503, errors.ServerError),
        (504, errors.ServerError),
    ],
)
def test_each_status_has_its_error_class(status: int, kind: type[errors.HubError]) -> None:
    error = error_of(httpx.Response(status, json={"error": "so it is"}))
    assert type(error) is kind
    assert (error.status, "so it is" in error.body) == (status, True)


def test_a_missing_model_is_named() -> None:
    error = error_of(httpx.Response(404, json={"error": {"message": "Model not found: kling-x"}}))
    assert isinstance(error, errors.ModelNotFound)
    assert error.model == "kling-x"


@given(st.integers(400, 599), st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_body_gives_an_error_with_a_short_message(status: int, body: bytes) -> None:
    error = error_of(httpx.Response(status, content=body))
    assert 0 < len(str(error)) < 500
    assert len(error.body) <= 300


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b'"text"', b"null", b"\xff\xfe"])
def test_a_success_without_a_json_object_is_a_server_error(body: bytes) -> None:
    with pytest.raises(errors.ServerError):
        read_json(httpx.Response(200, content=body))


KEY = "oxk-PLANTED-7d41"
ASKED = httpx.Request("POST", "https://hub.example/api/ai/queue", headers={"Authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 502])
@pytest.mark.parametrize(
    "body", [f"authorization: Bearer {KEY}", f'{{"error": {{"detail": "Bearer {KEY} is bad"}}}}', f"[{KEY!r}]"]
)
def test_a_body_that_echoes_the_key_does_not_leak_it(status: int, body: str) -> None:
    with pytest.raises(errors.HubError) as caught:
        read_json(httpx.Response(status, text=body.replace("}}", "}}" if status != 200 else "}}x"), request=ASKED))
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert caught.value.body


@pytest.mark.parametrize(("status", "uncertain"), [(301, False), (302, True), (303, True), (307, False), (308, False)])
def test_a_redirect_is_not_followed(status: int, uncertain: bool) -> None:
    there = "https://me:pass@elsewhere.example/api?signature=abc"
    with pytest.raises(
        errors.HubError, match=r"redirected to https://elsewhere\.example/api\. .* set KLING_NB_HUB"
    ) as caught:
        read_json(httpx.Response(status, headers={"location": there}, request=ASKED))
    assert may_have_accepted(caught.value) == uncertain


NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str | None, wait: float | None) -> None:
    assert seconds_of(value, NOW) == wait


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_without_a_connection_nothing_was_sent(kind: type[httpx.TransportError]) -> None:
    assert isinstance(transport_error(kind("no"), at="https://h"), errors.Unreachable)


@pytest.mark.parametrize(
    "kind", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError]
)
def test_after_a_connection_it_is_unknown_whether_the_hub_acted(kind: type[httpx.TransportError]) -> None:
    assert isinstance(transport_error(kind("no"), at="https://h"), errors.NoResponse)


@pytest.mark.parametrize(
    "answer", [{}, {"user": None}, {"user": []}, {"user": {}}, {"user": {"username": None}}, {"user": {"username": ""}}]
)
def test_an_incomplete_answer_to_an_upload_is_a_server_error(answer: dict[str, Any]) -> None:
    with pytest.raises(errors.ServerError, match=r"missing 'user\.username'"):
        text_in(answer, "user", "username")


def test_a_text_in_an_answer_is_found_by_its_path() -> None:
    assert text_in({"user": {"username": "ann"}}, "user", "username") == "ann"
    assert text_in({"url": "https://example.org/a"}, "url") == "https://example.org/a"
