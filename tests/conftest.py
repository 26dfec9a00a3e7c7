"""Every test has its own home folder, with no key and no network but loopback."""

from __future__ import annotations

import gc
import os
import runpy
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kernelnursery
import nursery
import pytest
from httpx._transports import default as httpx_default
from hubside import FalSide, HubSide
from hypothesis import settings

from kling_nb.engine.pace import LOCAL_PACE
from kling_nb.localhub import serve
from kling_nb.localhub.serve import stop
from kling_nb.studio import Studio

if TYPE_CHECKING:
    from lab import Lab
    from support.postgres import Postgres

# Times are shown in the zone of the machine, which must not change a text.
os.environ["TZ"] = "UTC"
time.tzset()

# Every interpreter that a test starts begins with `interpreter/sitecustomize.py`, as this one does.
INTERPRETER = Path(__file__).with_name("interpreter")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(INTERPRETER), os.environ.get("PYTHONPATH")]))
runpy.run_path(str(INTERPRETER / "sitecustomize.py"))

# How long an example takes says more of the machine than of the code; speed is for the benchmarks.
# HYPOTHESIS_PROFILE=deep draws many more examples, where a test does not set their number.
settings.register_profile("kling_nb", deadline=None, max_examples=25)
settings.register_profile("deep", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "kling_nb"))

#: The folders with the longest tests, which are run first; of these, first those that mostly wait, while browsers work.
LONG = ("engine", "store", "scoring", "localhub", "kernels", "docs", "sweeps", "interactive", "exchange")


def pytest_configure(config: pytest.Config) -> None:
    """Hear interrupts also in the background of a shell, where they are ignored, and so by all that tests start."""
    gc.disable()  # until all tests are collected: thousands of objects, of which none goes away
    # Each client of httpx would read the root certificates, which takes 50 ms, and hardly any speaks TLS.
    httpx_default.create_ssl_context = cache(httpx_default.create_ssl_context)
    if kernelnursery.FOLDER not in os.environ:  # workers use that of the process that started them
        # Kernels with its command are forked; those of papermill and nbconvert start as a user's do.
        forked = kernelnursery.opened(os.environ)
        forked.__enter__()
        config.add_cleanup(lambda: forked.__exit__(None, None, None))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run browser tests in a separate call only: after Playwright's sync API no test can start an event loop.

    The longest files come first, so that no worker is left alone with one in the end: those of the folders whose tests
    start processes and wait for them, and in a folder those with the most lines.
    """
    size = {path: path.stat().st_size for path in {item.path for item in items}}
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: (rank.get(item.path.parent.name, len(LONG)), -size[item.path], str(item.path)))
    chosen = "browser" in (config.getoption("markexpr") or "")
    for item in items:
        if "browser" in item.keywords and not chosen:
            item.add_marker(pytest.mark.skip(reason="runs in its own call: pytest -m browser"))


def pytest_collection_finish() -> None:
    """Collect garbage of tests only, and not each time among all that was loaded before."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _kernels_end_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A kernel that ends is half a second at looking for garbage in what its process gives back anyhow."""
    profile = tmp_path_factory.mktemp("ipython") / "profile_default"
    profile.mkdir()
    (profile / "ipython_kernel_config.py").write_text("import atexit, gc\n\natexit.register(gc.freeze)\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(profile.parent))
        yield


@pytest.fixture(scope="session", autouse=True)
def _hubs_start_at_once() -> Iterator[None]:
    """Local hubs are forked, ready to serve; that they start as a user's do is tested in `localhub/test_serve.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve, "_spawn", nursery.Hub)
        yield


@pytest.fixture(scope="session", autouse=True)
def _state_of_shared_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures of a module are made before `_isolated`: they note their logs in their own home, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("shared-state")))
        yield


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads the developer's home, key or settings, writes beside the sources, or leaves a local hub behind."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)  # that of the developer's shell, which need not be ours
    for name in os.environ:
        if name.startswith(("OXEN_", "FAL_", "KLING_NB_", "JPY_", "VSCODE_", "COLAB_", "VOILA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.chdir(tmp_path)
    yield
    for own in (home / "state" / "kling_nb").glob("localhub*"):
        stop(own)


@pytest.fixture(scope="session")
def _quick_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSide]:
    hub = HubSide(tmp_path_factory.mktemp("quick-hub"), "--keep-alive", "0.5", speed=100)
    yield hub
    hub.close()


@pytest.fixture
def hub(_quick_hub: HubSide) -> Iterator[HubSide]:
    """A real local hub, a hundred times as fast as usual, without faults and with its counts at zero."""
    _quick_hub.mark()
    yield _quick_hub
    _quick_hub.clear()


@pytest.fixture(scope="session")
def _quick_fal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FalSide]:
    fal = FalSide(tmp_path_factory.mktemp("quick-fal"), speed=100)
    yield fal
    fal.close()


@pytest.fixture
def fal(_quick_fal: FalSide) -> Iterator[FalSide]:
    """The stand-in for fal.ai, quick, without faults and with its counts at zero."""
    _quick_fal.mark()
    yield _quick_fal
    _quick_fal.clear()


@pytest.fixture(params=["oxen", "fal"])
def provider(request: pytest.FixtureRequest) -> Iterator[HubSide]:
    """The stand-in of each provider in turn, quick, without faults and with its counts at zero."""
    side: HubSide = request.getfixturevalue("_quick_hub" if request.param == "oxen" else "_quick_fal")
    side.mark()
    yield side
    side.clear()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Callable[..., HubSide]]:
    """Start a hub for one test alone: `own_hub("--choice", "resign=never", speed=4)`."""
    hubs: list[HubSide] = []

    def start(*arguments: str, speed: float = 100, side: type[HubSide] = HubSide) -> HubSide:
        hubs.append(side(tmp_path / f"hub{len(hubs)}", *arguments, speed=speed))
        return hubs[-1]

    yield start
    for each in hubs:
        each.close()


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make every hub as quick as these ones, whose clips take a moment, with changes: `pace(lost=60)`."""

    def quick(**changes: Any) -> None:
        monkeypatch.setattr("kling_nb.connection.HUB_PACE", replace(LOCAL_PACE, **{"usual": 1.0, **changes}))

    quick()
    return quick


@pytest.fixture
def studio_at(tmp_path: Path, pace: Any) -> Iterator[Callable[..., Studio]]:
    """Make studios at a hub, closed in the end: `studio_at(hub, deadline=1)`. They share one log."""
    studios: list[Studio] = []

    def make(hub: HubSide, **settings: Any) -> Studio:
        address = getattr(hub, "address", hub.url)
        studio = Studio(**{"hub": address, "key": "test-key", "log": tmp_path / "log", **settings})
        studios.append(studio)
        return studio

    yield make
    for studio in studios:
        studio.close()


@pytest.fixture
def studio(studio_at: Callable[..., Studio], hub: HubSide) -> Studio:
    """A studio at the shared hub, with an empty log."""
    return studio_at(hub)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server, started when the first test of a team's log asks for it."""
    from support import postgres  # psycopg is loaded only for them

    if postgres.UNAVAILABLE:
        pytest.skip(f"A team's log is not tested: {postgres.UNAVAILABLE}.")
    server = postgres.Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def hub_of_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSide]:
    """The local hub that the Lab's kernels find by themselves; a job takes about two seconds."""
    state = tmp_path_factory.mktemp("lab-state")
    hub = HubSide(state / "kling_nb" / "localhub", "--keep-alive", "1", speed=3)
    yield hub
    hub.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, hub_of_lab: HubSide) -> Iterator[Lab]:
    """One JupyterLab and one Chromium for all tests that drive a browser."""
    from lab import Lab, chromium  # Playwright is loaded only for them
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)  # a machine that does much else at once needs more than the usual five seconds
    if chromium() is None:
        pytest.skip("there is no Chromium on this machine")
    folder = tmp_path_factory.mktemp("lab")
    (folder / ".home").mkdir()
    environment = {
        "XDG_STATE_HOME": str(hub_of_lab.folder.parents[1]),
        "HOME": str(folder / ".home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    with Lab.started(folder, env=environment) as lab:
        yield lab
