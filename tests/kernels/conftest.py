"""Real kernels of the three lines, at one quick local hub that they find as any notebook does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hubside import HubSide

from kernels.kernelside import LINES, Kernel, Place


@pytest.fixture(scope="session", params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    """The ipykernel line of this test."""
    return request.param


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A home that all kernels of this run share."""
    return Place(tmp_path_factory.mktemp("kernels"))


@pytest.fixture(scope="session")
def _hub_of_kernels(place: Place) -> Iterator[HubSide]:
    hub = HubSide(place.state, "--keep-alive", "1", speed=4)
    yield hub
    hub.close()


@pytest.fixture
def hub(_hub_of_kernels: HubSide) -> Iterator[HubSide]:
    """The local hub of these kernels: a job takes a second or two, so that one can act while it runs."""
    _hub_of_kernels.mark()
    yield _hub_of_kernels
    _hub_of_kernels.clear()


@pytest.fixture(scope="session")
def _kernel_of_line(line: str, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(line, place, tmp_path_factory.mktemp("shared") / "work")
    yield kernel
    kernel.close()


@pytest.fixture
def kernel(_kernel_of_line: Kernel, hub: HubSide) -> Kernel:
    """A kernel of the line, shared by the tests that leave it as it was."""
    return _kernel_of_line


@pytest.fixture
def start(line: str, place: Place, hub: HubSide, tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """Start kernels for one test alone, all in one folder: `start(OXEN_API_KEY=...)`."""
    kernels: list[Kernel] = []

    def begin(home: Place = place, **environment: str) -> Kernel:
        kernels.append(Kernel(line, home, tmp_path / "work", **environment))
        return kernels[-1]

    yield begin
    for kernel in kernels:
        kernel.close()
