"""Which hub, which key, which folder, each with where it came from. Read when first needed, never at import."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from kling_nb.errors import SettingsError
from kling_nb.models.urls import is_loopback, normalize_url

logger = logging.getLogger(__name__)

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


def read_settings(
    *,
    key: str | SecretStr | None = None,
    hub: str | None = None,
    log: str | Path | None = None,
    beside: Path,
) -> Settings:
    """Read the settings: arguments first, then the environment, then `.env`, then (the key only) the keyring.

    The first source that names a key decides; where it is empty there, there is none. Without a key and a hub the local
    hub answers. `beside` is the notebook's folder: `.env` is looked for in the current folder and then there, and the
    log lies there unless something else is said. Raises `SettingsError` for what cannot be used.
    """
    home = beside
    given = {KEY: _text(KEY, key), HUB: _text(HUB, hub), LOG: _text(LOG, log)}
    values: dict[str, str] = {}
    sources: dict[str, str] = {}

    def take(source: str, found: Mapping[str, str | None]) -> None:
        for name in (KEY, HUB, LOG):
            value = found.get(name)
            if value is not None and name not in values and (value.strip() or name == KEY):
                values[name], sources[name] = value.strip(), source.format(name=name)

    take("argument", given)
    take("environment variable {name}", _environment())
    for folder in dict.fromkeys((Path.cwd(), home)):
        take(".env file" if folder == Path.cwd() else ".env file beside the notebook", _dotenv(folder / ".env"))
    if KEY not in values and values.get(HUB, "").lower() != "local":  # a locked keyring asks the user: not without need
        take("system keyring", {KEY: _keyring()})
    if not values.get(KEY):
        sources.pop(KEY, None)
    secret = _secret(values.get(KEY, ""), sources.get(KEY, ""))
    address = _hub_address(values.get(HUB), sources.get(HUB, "default"), has_key=secret is not None)
    return Settings(secret, address, _folder(values.get(LOG), sources.get(LOG, ""), home), sources)


def _text(name: str, value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case SecretStr():
            return value.get_secret_value()
        case os.PathLike() if name == LOG:
            return os.fsdecode(cast("os.PathLike[str]", value))
        case _:  # said without the value, which may be a key
            raise SettingsError(f"{name} (argument) is of the type {type(value).__name__}: give text")


def _names() -> Any:
    from pydantic import Field
    from pydantic_settings import BaseSettings

    class Names(BaseSettings):
        key: str | None = Field(None, validation_alias=KEY)
        hub: str | None = Field(None, validation_alias=HUB)
        log: str | None = Field(None, validation_alias=LOG)

    return Names


def _environment() -> Mapping[str, str | None]:
    from pydantic_settings import EnvSettingsSource

    return EnvSettingsSource(_names(), case_sensitive=True)()


def _dotenv(file: Path) -> Mapping[str, str | None]:
    """Read a `.env`, which may be missing. Raises `SettingsError` for one whose key or hub would be overlooked."""
    from dotenv.parser import parse_stream
    from pydantic_settings import DotEnvSettingsSource

    if not file.is_file():
        return {}
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:  # what some shells and editors of Windows write
        raise SettingsError(f"{file} is not UTF-8 text: save it as UTF-8") from None
    except OSError as exc:
        raise SettingsError(f"{file} cannot be read ({exc.strerror}): mend its rights, or move it away") from None
    for line in parse_stream(io.StringIO(text)):
        if line.error and (named := [name for name in (KEY, HUB, LOG) if name in line.original.string]):
            # Its text is not shown: it may hold the key.
            raise SettingsError(f"line {line.original.line} of {file}, {named[0]}, cannot be read: is a quote missing?")
    return DotEnvSettingsSource(_names(), env_file=file, env_file_encoding="utf-8-sig", case_sensitive=True)()


def _keyring() -> str | None:
    """Ask the system's keyring, where the optional package is installed and a keyring is unlocked."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return keyring.get_password("kling_nb", KEY)
    except keyring.errors.NoKeyringError:
        return None
    except Exception as exc:  # noqa: BLE001 - a backend raises its own: of D-Bus, of the system, of a missing library
        logger.warning("the system keyring gives no key (%s)", type(exc).__name__)
        return None


def _secret(key: str, source: str) -> SecretStr | None:
    if not re.fullmatch(r"[!-~]*", key):
        # Said here, without the key: an HTTP library would quote the header that it cannot send.
        raise SettingsError(f"{KEY} ({source}) holds a space, a line break or a letter that no key has")
    return SecretStr(key) if key else None


def _folder(value: str | None, source: str, home: Path) -> Path:
    if value is None:
        return (home / "kling_log").absolute()
    try:
        folder = Path(value).expanduser()
    except RuntimeError:  # the home of a user who is not there
        folder = Path("\0")
    if "\0" in str(folder):
        raise SettingsError(f"{LOG} is {value!r} ({source}), which is no folder's name")
    return folder.absolute() if source == "argument" else (home / folder).absolute()


def _hub_address(value: str | None, source: str, *, has_key: bool) -> str:
    if value is None:
        return REAL_HUB if has_key else "local"
    if value.lower() == "local":
        return "local"
    said = re.sub(r"//[^/]*@", "//", value.partition("?")[0])  # somebody's password is not shown
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # an IPv6 bracket left open, a port that is none
        parts, port = urlsplit(""), 0
    whole = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not whole or not value.isprintable() or " " in value:
        raise SettingsError(f"{HUB} is {said!r} ({source}): give a base URL such as {REAL_HUB}, or 'local'")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{HUB} ({source}) must be a plain base URL without credentials or query")
    if parts.scheme == "http" and has_key and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{HUB} is {said!r} ({source}): the key would travel in the clear; use https")
    return normalize_url(value)  # jobs and plans are known by where they are
