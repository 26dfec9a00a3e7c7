"""The providers that have a stand-in here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from . import app, faults, hub, options
from .fal import app as fal_app
from .fal import hub as fal_hub
from .fal import options as fal_options
from .options import Options
from .runner import Runner


@dataclass(frozen=True)
class Provider:
    """A stand-in server: its parts, and the faults that can be switched on."""

    hub: Callable[[Path, Options], Runner]
    build: Callable[[Any], ASGIApp]
    faults: Mapping[str, tuple[str, str]]
    choices: Mapping[str, tuple[str, ...]]
    seconds: frozenset[str]

    def parsed(self, chosen: list[str]) -> Mapping[str, str]:
        """Return all choices. Raises `ValueError` for an unknown name or value."""
        return options.parse_choices(chosen, self.choices, self.seconds)


PROVIDERS: Mapping[str, Provider] = {
    "oxen": Provider(hub.Hub, app.build, faults.FAULTS, options.CHOICES, options.SECONDS),
    "fal": Provider(fal_hub.FalHub, fal_app.build, fal_options.FAULTS, fal_options.CHOICES, fal_options.SECONDS),
}
