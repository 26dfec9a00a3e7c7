"""Addresses in records: never with a signature or a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.models.asset import Asset
from kling_nb.models.urls import redact_url, redact_urls

SIGNERS = [
    *(
        "oxen_signature",
        "oxen_expires",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "sig",
        "Signature",
    ),
    *("X-Goog-Signature", "Key-Pair-Id", "Policy", "AWSAccessKeyId", "access_token", "api_key", "apikey", "sign"),
    *("%73ig", "auth", "Authorization", "password", "hmac", "jwt"),
]
words = st.text("abcdefgh0123456789", min_size=1, max_size=8)
harmless = st.tuples(st.sampled_from(["w", "h", "v", "design", "author", "page"]), words)


@given(
    st.lists(harmless, max_size=3),
    st.sampled_from(SIGNERS),
    st.lists(harmless, max_size=3),
    st.sampled_from("&;"),
    words,
)
def test_a_signature_is_removed(before: list[tuple[str, str]], signer: str, after: list, join: str, path: str) -> None:
    pairs = [*before, (signer, "SECRET"), *after]
    url = f"https://me:SECRET@example.org/{path}?{join.join(f'{name}={value}' for name, value in pairs)}#SECRET"
    assert redact_url(url) == f"https://example.org/{path}"
    assert Asset.from_url(url).identity == f"https://example.org/{path}"
    assert "SECRET" not in repr(Asset.from_url(url)) + redact_urls(f"see <{url}>, twice: {url}")


@given(st.lists(harmless, min_size=1, max_size=4), words)
def test_a_query_without_a_signature_is_part_of_the_address(pairs: list[tuple[str, str]], path: str) -> None:
    url = f"https://example.org/{path}?{'&'.join(f'{name}={value}' for name, value in pairs)}"
    assert redact_url(url) == url


@given(st.text(max_size=40))
def test_a_redacted_address_is_unchanged(tail: str) -> None:
    try:
        once = redact_url(f"https://example.org/{tail}")
    except ValueError:
        return
    assert redact_url(once) == once


def test_a_file_signed_twice_is_the_same_image() -> None:
    first, second = (Asset.parse(f"https://example.org/a.png?sig={number}") for number in (1, 2))
    assert first == second
    assert (first.url, second.url) == ("https://example.org/a.png?sig=1", "https://example.org/a.png?sig=2")


@pytest.mark.parametrize("text", ["http://[", "see http://[::1/x?sig=SECRET"])
def test_an_invalid_address_is_not_shown(text: str) -> None:
    assert "SECRET" not in redact_urls(text)
