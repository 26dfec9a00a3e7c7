"""Importing the package starts nothing, loads nothing heavy, and the floors import downwards only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = {"httpx", "pydantic", "ipywidgets", "anywidget", "IPython", "sqlalchemy", "av", "PIL", "numpy", "asyncio"}

PROBE = """
import json, os, sys, threading

acts, asked = [], []

class Environ(dict):
    def get(self, name, default=None):
        asked.append(name)
        return super().get(name, default)
    def __getitem__(self, name):
        asked.append(name)
        return super().__getitem__(name)

os.environ = Environ(os.environ)
watched = ("socket.", "subprocess.", "os.mkdir", "os.remove", "sqlite3.", "os.fork")

def look(name, args):
    if name.startswith(watched):
        acts.append(name)
    elif name == "open" and set(str(args[1] or "")) & set("wax+") and "__pycache__" not in str(args[0]):
        acts.append(f"write {args[0]}")

sys.addaudithook(look)
import kling_nb
print(json.dumps({"modules": sorted(sys.modules), "acts": acts, "asked": asked, "threads": threading.active_count()}))
"""


def run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_importing_starts_nothing_and_reads_no_environment() -> None:
    found = json.loads(run(PROBE))
    assert (found["acts"], found["asked"], found["threads"]) == ([], [], 1)


def test_importing_loads_nothing_heavy() -> None:
    found = json.loads(run(PROBE))
    assert not set(found["modules"]) & HEAVY
    assert {name for name in found["modules"] if name.startswith("kling_nb.")} == set()


def test_what_a_request_needs_loads_no_cards_no_readers_of_text_and_no_decoders() -> None:
    found = run("import kling_nb.studio, sys; print(*sys.modules)").split()
    late = {"ipywidgets", "anywidget", "IPython", "jinja2", "jsonschema", "tenacity", "av", "PIL", "numpy"}
    late |= {
        f"kling_nb.{name}" for name in ("code.read", "models.storyboard.board", "render.card", "store.audit", "ui")
    }
    assert late & set(found) == set()


def test_no_module_takes_the_place_of_a_public_name() -> None:
    """Python sets a module as an attribute of its package when it is loaded: it would hide the name from then on."""
    code = """
import pkgutil
import kling_nb as kn
print({module.name for module in pkgutil.iter_modules(kn.__path__)} & set(kn.__all__) - {"errors", "scoring"})
"""
    assert run(code) == "set()\n"


def test_every_public_name_resolves_and_all_is_exact() -> None:
    code = """
import kling_nb as kn
assert len(set(kn.__all__)) == len(kn.__all__)
assert dir(kn) == sorted(kn.__all__)
for name in kn.__all__:
    getattr(kn, name)
public = {name for name in vars(kn) if not name.startswith("_")}
import types
extra = {name for name in public - set(kn.__all__) if not isinstance(getattr(kn, name), types.ModuleType)}
assert extra <= {"annotations", "Any", "import_module", "load_ipython_extension"}, extra
try:
    kn.no_such_name
except AttributeError as exc:
    assert "no_such_name" in str(exc)
else:
    raise AssertionError
"""
    run(code)


def test_the_verbs_stay_functions_after_everything_is_imported() -> None:
    code = """
import importlib, pkgutil
import kling_nb as kn
for module in pkgutil.walk_packages(kn.__path__, "kling_nb."):
    importlib.import_module(module.name)
assert kn.generate.__module__ == kn.sweep.__module__ == "kling_nb"
for name in set(kn.__all__) - {"errors", "scoring", "presets", "elements", "options"}:
    assert callable(getattr(kn, name)), name
assert kn.errors.KlingError
"""
    run(code)


def test_verbs_show_their_own_signature_without_self() -> None:
    code = """
import inspect
import kling_nb as kn
for name in ("generate", "panel", "lint", "sweep", "budget"):
    parameters = inspect.signature(getattr(kn, name)).parameters
    assert "self" not in parameters and parameters, name
    assert inspect.getdoc(getattr(kn, name)) == inspect.getdoc(getattr(kn.Studio, name))
for name in ("generate", "preview", "lint", "price"):
    parameters = inspect.signature(getattr(kn, name)).parameters
    assert {"duration", "input_image", "multi_prompt", "video_mode"} <= set(parameters), name
assert inspect.signature(kn.generate).parameters["duration"].default == 5
"""
    run(code)


def test_each_module_can_be_imported_first() -> None:
    """No import works only because another came before it."""
    modules = ["studio", "ui.panel.controller", "engine.engine", "hubs.client", "store.log", "render", "ui.panel.panel"]
    code = """
import importlib, os, sys
import kling_nb.magics  # and with it, all that others wrote: not what is looked at here
for name in [name for name in sys.modules if name.partition(".")[0] == "kling_nb"]:
    del sys.modules[name]
for name in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(f"kling_nb.{name}")
        os._exit(0)
    assert os.wait()[1] == 0, name
"""
    run(code, *modules)


def test_the_floors_import_downwards_only() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
