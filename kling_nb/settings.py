"""Which hub, which key, which folder, each with where it came from. Read when first needed, never at import."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from kling_nb.errors import SettingsError

REAL_HUB = "https://hub.oxen.ai"
KEY, HUB, LOG = "OXEN_API_KEY", "KLING_NB_HUB", "KLING_NB_LOG"


@dataclass(frozen=True)
class Settings:
    """What a studio needs to know; `sources` says for each name where its value came from.

    `hub` is a base URL or `local`. `key` is sent to that hub's origin and nowhere else.
    """

    key: SecretStr | None = None
    hub: str = "local"
    log: Path = Path("kling_log")
    sources: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def local(self) -> bool:
        """Whether the local hub answers."""
        return self.hub == "local"


def read_settings(*, key: str | None = None, hub: str | None = None, log: str | Path | None = None) -> Settings:
    """Read the settings: arguments first, then the environment, then `.env`, then (the key only) the keyring.

    Without a key and a hub the local hub answers. Raises `SettingsError` for a hub address that cannot be used.
    """
    given = {KEY: key, HUB: hub, LOG: None if log is None else str(log)}
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for source, found in (("argument", given), *_environment(), *_keyring()):
        for name in (KEY, HUB, LOG):
            value = found.get(name)
            if value and value.strip() and name not in values:
                values[name], sources[name] = value.strip(), source.format(name=name)
    address = _hub_address(values.get(HUB), sources.get(HUB, "default"), has_key=KEY in values)
    if not re.fullmatch(r"[!-~]*", values.get(KEY, "")):
        # Said here, without the key: an HTTP library would quote the header that it cannot send.
        raise SettingsError(f"{KEY} ({sources[KEY]}) holds a space, a line break or a letter that no key has")
    secret = SecretStr(values[KEY]) if KEY in values else None
    return Settings(secret, address, Path(values.get(LOG, "kling_log")).expanduser().absolute(), sources)


def _environment() -> list[tuple[str, Mapping[str, Any]]]:
    from pydantic import Field
    from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

    class Names(BaseSettings):
        key: str | None = Field(None, validation_alias=KEY)
        hub: str | None = Field(None, validation_alias=HUB)
        log: str | None = Field(None, validation_alias=LOG)

    dotenv = DotEnvSettingsSource(Names, env_file=".env", env_file_encoding="utf-8", case_sensitive=True)
    return [
        ("environment variable {name}", EnvSettingsSource(Names, case_sensitive=True)()),
        (".env file", dotenv()),
    ]


def _keyring() -> list[tuple[str, Mapping[str, Any]]]:
    """Ask the system's keyring, where the optional package is installed and a keyring is unlocked."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return []
    try:
        return [("system keyring", {KEY: keyring.get_password("kling_nb", KEY)})]
    except keyring.errors.KeyringError:
        return []


def _hub_address(value: str | None, source: str, *, has_key: bool) -> str:
    if value is None:
        return REAL_HUB if has_key else "local"
    if value.lower() == "local":
        return "local"
    try:
        parts = urlsplit(value)
    except ValueError:  # an IPv6 bracket left open
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{HUB} is {value!r} ({source}): give a base URL such as {REAL_HUB}, or 'local'")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{HUB} ({source}) must be a plain base URL without credentials or query")
    if parts.scheme == "http" and has_key and not is_loopback(parts.hostname):
        raise SettingsError(f"{HUB} is {value!r} ({source}): the key would travel in the clear; use https")
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host name can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
