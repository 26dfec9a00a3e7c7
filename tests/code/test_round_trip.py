"""Code that this package writes is read back as the same request."""

from __future__ import annotations

import ast
import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from kling_nb.code.literal import FLAVOURS, FLOWS
from kling_nb.code.read import read_request
from kling_nb.code.write import snippet
from kling_nb.models.canonical import request_hash
from kling_nb.models.request import Request, request_type
from tests.code.samples import FACE, bodies, prompts
from tests.localhub.conftest import image_bytes

WAYS = list(itertools.product(FLAVOURS, FLOWS))


def made(fields: dict) -> Request:
    return request_type(fields.get("model", "kling-video-o3-pro-reference-to-video")).model_validate(fields)


@given(body=bodies)
@settings(max_examples=20, deadline=None)
def test_every_flavour_reads_back_as_the_same_request(body: dict) -> None:
    request = made(body)
    for flavour, flow in WAYS:
        fields, not_understood = read_request(snippet(request, flavour, flow).code)
        assert not_understood == [], (flavour, flow)
        assert request_hash(made(fields)) == request_hash(request), (flavour, flow)


@given(body=bodies)
@settings(max_examples=20, deadline=None)
def test_the_number_of_generations_survives_the_queue(body: dict) -> None:
    request = made(body)
    for flavour in FLAVOURS:
        fields = read_request(snippet(request, flavour, "poll").code).fields
        assert fields.get("num_generations", 1) == request.num_generations


@pytest.mark.parametrize(("flavour", "flow"), WAYS)
def test_local_images_read_back_as_their_paths(flavour, flow, tmp_path: Path) -> None:
    name = 'it\'s a "face" $(1) \\ `2`.png'
    (tmp_path / name).write_bytes(image_bytes())
    body = {
        "prompt": "@Image1 meets @Element1",
        "input_image": [name, FACE],
        "elements": [{"frontal_image_url": name, "reference_image_urls": [name]}],
    }
    request = made(body)

    fields, not_understood = read_request(snippet(request, flavour, flow).code)

    assert not_understood == []
    assert request_hash(made(fields)) == request_hash(request)


@given(prompt=prompts)
@settings(max_examples=30, deadline=None)
def test_python_always_parses(prompt: str) -> None:
    request = made({"prompt": prompt, "negative_prompt": prompt})
    for flavour, flow in itertools.product(("kling_nb", "requests", "httpx"), FLOWS):
        ast.parse(snippet(request, flavour, flow).code)


@pytest.fixture
def sent_to_curl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a `curl` on the PATH that saves its input; return a function that runs a script and returns that input."""
    stand_in = tmp_path / "bin" / "curl"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\ncat > body.json\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OXEN_API_KEY", "k")

    def run(script: str) -> str:
        subprocess.run([shutil.which("sh") or "sh", "-c", script], capture_output=True, check=False)
        return Path("body.json").read_bytes().decode()

    return run


@pytest.mark.skipif(not all(map(shutil.which, ("sh", "jq"))), reason="sh or jq is not installed")
@given(prompt=prompts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_shell_passes_the_body_on_unchanged(sent_to_curl, prompt: str) -> None:
    """With a local file parts of the body are expanded; no part of a prompt may be."""
    Path("face.png").write_bytes(image_bytes())
    request = made({"prompt": prompt, "input_image": ["face.png"]})

    said = sent_to_curl(snippet(request, "curl", "sync").code)

    assert request_hash(made(read_request(said).fields)) == request_hash(request)
