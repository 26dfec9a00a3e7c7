"""Runs the independent roc-validator on crates, offline; in its own environment, whose pins are not ours.

`python validator.py CONTEXT CACHE PROFILE CRATE …`: CONTEXT is the JSON-LD context file, which stands in for the web.
The answer is a line for each crate, in JSON: the issues that its profile requires not to be.
"""

from __future__ import annotations

import functools
import io
import json
import sys
from pathlib import Path
from typing import Any

import requests
import requests_cache
import urllib3
from rdflib.plugins.sparql.processor import SPARQLProcessor, prepareQuery
from rocrate_validator import services
from rocrate_validator.models import Severity

CONTEXT, CACHE, *ASKED = sys.argv[1:]


class FromTheFile(requests.adapters.HTTPAdapter):
    """Answers every request with the context file."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        body = io.BytesIO(Path(CONTEXT).read_bytes())
        headers = {"Content-Type": "application/ld+json"}
        raw = urllib3.HTTPResponse(body, headers, status=200, preload_content=False, request_url=request.url)
        return self.build_response(request, raw)


def fill() -> None:
    with requests_cache.CachedSession(CACHE, backend="sqlite", expire_after=requests_cache.NEVER_EXPIRE) as session:
        session.mount("https://", FromTheFile())
        for version in ("1.1", "1.2", "1.3"):
            session.get(f"https://w3id.org/ro/crate/{version}/context", headers={"Accept": "application/ld+json"})
            session.get(f"https://w3id.org/ro/crate/{version}/context")


def prepare_once() -> None:
    """Prepare each query of the profiles once: they are asked for each entity, and reading them is most of the work."""
    real = SPARQLProcessor.query

    @functools.cache
    def prepared(query: str, names: tuple[tuple[str, Any], ...], base: str | None) -> Any:
        return prepareQuery(query, dict(names), base)

    def ask(
        self: SPARQLProcessor, query: Any, bound: Any = None, names: Any = None, base: Any = None, **more: Any
    ) -> Any:
        if isinstance(query, str):
            query = prepared(query, tuple(sorted((names or {}).items())), base)
        return real(self, query, bound, names, base, **more)

    SPARQLProcessor.query = ask


def issues(profile: str, crate: str) -> list[str]:
    settings = {
        "rocrate_uri": crate,
        "profile_identifier": profile,
        "requirement_severity": Severity.REQUIRED.name,
        "abort_on_first": True,  # a crate that should be valid has none, and of the invalid one any is enough
        "offline": True,
        "cache_path": Path(CACHE),
        "skip_availability_check": True,
    }
    result = services.validate(settings)
    said = [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
    return said if bool(said) != result.passed() else [*said, f"passed: {result.passed()}"]


if __name__ == "__main__":
    fill()
    prepare_once()
    for profile, crate in zip(ASKED[::2], ASKED[1::2], strict=True):
        print(json.dumps(issues(profile, crate)))
