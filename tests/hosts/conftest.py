"""Front ends and browsers that the suite leaves out, since each takes half a minute: `make test-hosts`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubside import HubSide
from lab import ROOT


@pytest.fixture
def environment(hub_of_lab: HubSide, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a server whose kernels find the local hub and this package."""
    hub_of_lab.mark()
    (tmp_path / "home").mkdir(exist_ok=True)
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OXEN_", "FAL_", "KLING_NB_"))},
        "XDG_STATE_HOME": str(hub_of_lab.folder.parents[1]),
        "HOME": str(tmp_path / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": str(ROOT),
    }
    hub_of_lab.clear()
