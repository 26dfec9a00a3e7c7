"""The models import nothing that talks, stores or draws, and importing them does nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

FORBIDDEN = [
    "httpx",
    "sqlalchemy",
    "ipywidgets",
    "anywidget",
    "IPython",
    "numpy",
    "PIL",
    "av",
    "starlette",
    "uvicorn",
    "jsonschema",
]

PROBE = """
import json, os, sys, threading

import pydantic.main  # its own first import may read what it likes
import rfc8785

acts, asked = [], []
ours = os.sep + "kling_nb" + os.sep

def by_us():
    frame = sys._getframe(2)
    while frame:
        if ours in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False

class Environ(dict):
    def get(self, name, default=None):
        by_us() and asked.append(name)
        return super().get(name, default)
    def __getitem__(self, name):
        by_us() and asked.append(name)
        return super().__getitem__(name)

os.environ = Environ(os.environ)
watched = ("socket.", "subprocess.", "os.mkdir", "os.remove", "sqlite3.")
sys.addaudithook(lambda name, args: acts.append(name) if name.startswith(watched) else None)
sys.addaudithook(
    lambda name, args: acts.append(f"write {args[0]}")
    if name == "open" and set(str(args[1] or "")) & set("wax+") and not str(args[0]).count("__pycache__") else None
)

import kling_nb.models.lint, kling_nb.models.record, kling_nb.models.progress, kling_nb.models.price

print(json.dumps({"modules": sorted(sys.modules), "acts": acts, "asked": asked, "threads": threading.active_count()}))
"""


def test_importing_the_models_brings_no_neighbour_and_does_nothing() -> None:
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=environ)
    found = json.loads(run.stdout)
    modules = set(found["modules"])
    assert not modules & set(FORBIDDEN)
    neighbours = {name.split(".")[1] for name in modules if name.startswith("kling_nb.")}
    assert neighbours == {"errors", "models"}
    assert [name for name in found["asked"] if not name.startswith("PYDANTIC")] == []
    assert (found["acts"], found["threads"]) == ([], 1)


def test_checking_a_request_of_addresses_opens_no_decoder() -> None:
    code = (
        "import sys; from kling_nb.models.lint import lint;"
        "lint({'prompt': '@Image1', 'input_image': ['https://example.org/a.png']});"
        "assert not {'PIL', 'numpy', 'asyncio'} & set(sys.modules), 'a decoder or a loop was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
