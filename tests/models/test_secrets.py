"""Texts for others hold no key, token or signature, and lose nothing that only looks like one."""

from __future__ import annotations

import pytest

from kling_nb.models.urls import redact_secrets


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("kn.configure(key='SHORT')", "kn.configure(key='…')"),
        ('curl -H "Authorization: Bearer SECRET12" x', 'curl -H "Authorization: Bearer …" x'),
        ('headers={"Authorization": "Basic SECRET12=="}', 'headers={"Authorization": "Basic …"}'),
        ("-H 'x-api-key: SECRET12'", "-H 'x-api-key: …'"),
        ('os.environ["OXEN_API_KEY"] = "SECRET12"', 'os.environ["OXEN_API_KEY"] = "…"'),
        ("os.environ.setdefault('OXEN_API_KEY', 'SECRET12')", "os.environ.setdefault('OXEN_API_KEY', '…')"),
        ("%env OXEN_API_KEY=SECRET12", "%env OXEN_API_KEY=…"),
        ('{"token": "SECRET12"}', '{"token": "…"}'),
        (r"{\"token\": \"SECRET12\"}", r"{\"token\": \"…\"}"),
        ("apikey=&quot;SECRET12&quot;", "apikey=&quot;…&quot;"),
        ("https://h.org/x.mp4?X-Amz-Signature=SECRET&a=1", "https://h.org/x.mp4"),
        ("curl localhost:3000/api?key=SECRET&x=1", "curl localhost:3000/api?key=…&x=1"),
        ("<a href='h.org/?a=1&amp;sig=SECRET'>", "<a href='h.org/?a=1&amp;sig=…'>"),
    ],
)
def test_a_text_that_looks_like_a_secret_is_replaced(text: str, redacted: str) -> None:
    assert redact_secrets(text) == redacted
    assert redact_secrets(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "sorted(rows, key=len)",
        "key = getpass()",
        "api_key=os.environ['OXEN_API_KEY']",
        'headers={"Authorization": f"Bearer {key}"}',
        "curl -H 'Authorization: Bearer $OXEN_API_KEY'",
        "a bearer token is the basic idea of the token that a key holds",
        'monkey="images/monkey.png"',
        "https://h.org/x.mp4?size=5",
    ],
)
def test_a_text_about_secrets_stays(text: str) -> None:
    assert redact_secrets(text) == text


def test_a_known_key_is_replaced_in_each_encoding() -> None:
    key = 'sk-a&b"c'
    text = f'{key} sk-a&amp;b&quot;c sk-a%26b%22c sk-a&b\\"c'
    assert redact_secrets(text, [key]) == "… … … …"
    assert redact_secrets("a kite", ["a", ""]) == "a kite"


@pytest.mark.parametrize("keys", [("id-1234:secret-5678", "secret-5678"), ("secret-5678", "id-1234:secret-5678")])
def test_a_key_that_contains_another_is_taken_out_whole(keys: tuple[str, ...]) -> None:
    """Fal's key is an ID and a secret, and either may be in an answer."""
    assert "1234" not in redact_secrets("The key id-1234:secret-5678 is not valid.", keys)
    assert "5678" not in redact_secrets("The secret secret-5678 is not valid.", keys)
