"""Runs the independent roc-validator on a crate, offline; in its own environment, whose pins are not ours.

`python validator.py CRATE PROFILE CONTEXT CACHE`: CONTEXT is the JSON-LD context file, which stands in for the web.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import requests
import requests_cache
import urllib3

CRATE, PROFILE, CONTEXT, CACHE = sys.argv[1:5]


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


if __name__ == "__main__":
    fill()
    command = [str(Path(sys.executable).with_name("rocrate-validator")), "-y", "--disable-color", "validate", CRATE]
    options = ["--offline", "--cache-path", CACHE, "-p", PROFILE, "-l", "required", "--skip-availability-check", "-v"]
    sys.exit(subprocess.run([*command, *options], check=False).returncode)
