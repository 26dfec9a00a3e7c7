"""Secrets in a text that somebody else will read: keys, tokens, signatures, told by what stands around them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from kling_nb.models.media import public_text

#: What stands where a secret stood.
TAKEN = "…"
#: Letters of the shortest key that is looked for by itself: a shorter one would be found in words.
_SHORTEST = 4

_NAMED = r"(?:sig(?:nature)?|token|key|secret|credential|passw\w{0,10}|pwd|hmac|jwt|session)"
_QUOTE = r"(?:\\?['\"]|&quot;|&\#x27;|&\#39;|&\#34;)"
_PATTERNS = [
    # A header: `Authorization: Bearer …`, and `Bearer …` alone; `{key}`, `$KEY` and `<key>` only say where one goes.
    r"(\bauthorization['\"]?\]?\s{0,3}[:=,]\s{0,3}['\"]?(?:[a-z]{1,12}\s+)?)(?![{$<]|(?:bearer|basic|token)\b)[^\s'\"\\]{4,}",
    r"(\bbearer\s+)(?!tokens?\b|[{$<])[^\s'\"\\<&]{4,}",
    r"(\bx-api-key['\"]?\s{0,3}[:=,]\s{0,3}['\"]?)(?![{$<])[^\s'\"\\]{4,}",
    # A text that is given to a name: `key="…"`, `"api_key": "…"`, `os.environ["OXEN_API_KEY"] = "…"`.
    r"((?:(?<![a-z])|(?<=api))(?:key|token|secret|passw(?:or)?d)"
    rf"(?:{_QUOTE})?\]?\s*(?:[:=]|,(?=\s*['\"]))\s*[rbf]?(?P<quote>{_QUOTE}))(?![{{$<])(?:(?!(?P=quote))\S){{4,}}",
    # A variable of the shell: `OXEN_API_KEY=…`.
    r"((?-i:[A-Z_]{0,40}(?:KEY|TOKEN|SECRET|PASSWORD))=)(?![{$<])[^\s'\"\\&;]{4,}",
    # A parameter of an address without a scheme, which `public_text` does not see.
    rf"([?&;](?:amp;)?[\w.~%-]{{0,40}}{_NAMED}[\w.~%-]{{0,40}}=)(?![{{$<])[^\s&;'\"<>\\]+",
]
_SECRETS = [re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS]


def without_secrets(text: str, keys: Iterable[str] = ()) -> str:
    """Return a text without the keys that are given, and without what looks like a key, a token or a signature.

    It is meant for what a person wrote, code or prose: names, and places where a secret is put in later, stay.
    """
    for key in keys:
        if len(key) >= _SHORTEST:
            for form in {key, html.escape(key), json.dumps(key)[1:-1], quote(key, safe="")}:
                text = text.replace(form, TAKEN)
    text = public_text(text)
    for pattern in _SECRETS:
        text = pattern.sub(_without, text)
    return text


def _without(found: re.Match[str]) -> str:
    return found[0] if found[0] == found[1] + TAKEN else found[1] + TAKEN
