"""The key, the hub and the log's folder, each with its source; read at the first use, never at import."""

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

from pydantic import Secret, SecretStr

from kling_nb.errors import SettingsError
from kling_nb.models.urls import is_loopback, normalize_url

logger = logging.getLogger(__name__)

REAL_HUB = "https://hub.oxen.ai"
KEY, HUB, LOG = "OXEN_API_KEY", "KLING_NB_HUB", "KLING_NB_LOG"


@dataclass(frozen=True)
class Settings:
    """The settings of a studio.

    Attributes:
        key: The API key; it is sent to the hub's origin and nowhere else.
        hub: A base URL, or `local`.
        log: The log's folder.
        sources: Where each value came from, by the name of its environment variable.
    """

    key: SecretStr | None = None
    hub: str = "local"
    log: Path = Path("kling_log")
    sources: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def local(self) -> bool:
        """Whether the local hub is used."""
        return self.hub == "local"


def hidden(key: Any) -> Any:
    """Return a key that is not plain text any more: a traceback may show every variable. Any other value too."""
    if key is None or isinstance(key, Secret | SecretStr):
        return key
    return SecretStr(key) if isinstance(key, str) else Secret(key)


def check_given(key: SecretStr | None, hub: str | None, log: str | Path | None) -> None:
    """Check settings as they are given, without reading anything. Raises `SettingsError`."""
    secret = _secret(_text(KEY, key), "argument")
    _hub_address(_text(HUB, hub), "argument", has_key=secret is not None)
    _folder(_text(LOG, log), "argument", Path())


def read_settings(
    *,
    key: str | SecretStr | None = None,
    hub: str | None = None,
    log: str | Path | None = None,
    beside: Path,
    keyring: bool = True,
) -> Settings:
    """Read the settings from the arguments, the environment, `.env`, and for the key also the system keyring.

    The first source that names a setting decides; an empty key means no key. Without a key and a hub, the local hub is
    used.

    Args:
        key, hub, log: Values that override every other source.
        beside: The notebook's folder, where the log is by default. `.env` is read from the current folder and from
            this one.
        keyring: Whether the system keyring is read.

    Raises:
        SettingsError: A value cannot be used.
    """
    home, key = beside, hidden(key)
    given = {KEY: _text(KEY, key), HUB: _text(HUB, hub), LOG: _text(LOG, log)}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(source: str, found: Mapping[str, Any]) -> None:
        for name in (KEY, HUB, LOG):
            if found.get(name) is None or name in values:
                continue
            value = _plain(found[name]).strip()
            if value or name == KEY:
                values[name], sources[name] = hidden(value) if name == KEY else value, source.format(name=name)

    take("argument", given)
    take("environment variable {name}", os.environ)
    for folder in dict.fromkeys((Path.cwd(), home)):
        take(".env file" if folder == Path.cwd() else ".env file beside the notebook", _dotenv(folder / ".env"))
    if keyring and KEY not in values and values.get(HUB, "").lower() != "local":  # a locked one asks the user
        take("system keyring", {KEY: _keyring()})
    secret = _secret(values.get(KEY), sources.get(KEY, ""))
    if secret is None:
        sources.pop(KEY, None)
    address = _hub_address(values.get(HUB), sources.get(HUB, "default"), has_key=secret is not None)
    return Settings(secret, address, _folder(values.get(LOG), sources.get(LOG, ""), home), sources)


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _text(name: str, value: Any) -> Any:
    match value:
        case None | str() | SecretStr():
            return value
        case Secret():
            raise SettingsError(f"{name} must be a string, got {type(value.get_secret_value()).__name__}.")
        case os.PathLike() if name == LOG:
            return os.fsdecode(cast("os.PathLike[str]", value))
        case _:  # the value is not shown: it may be a key
            raise SettingsError(f"{name} must be a string, got {type(value).__name__}.")


def _dotenv(file: Path) -> Mapping[str, str | None]:
    """Read a `.env` file, which may be missing.

    Raises:
        SettingsError: The file cannot be read, or a line with one of our names is not valid.
    """
    values, problem = _parsed_dotenv(file) if file.is_file() else ({}, "")
    if problem:
        raise SettingsError(problem)
    return values


def _parsed_dotenv(file: Path) -> tuple[Mapping[str, str | None], str]:
    """Return the values and a problem. Nothing is raised here, where variables and causes hold the key."""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:  # what some shells and editors on Windows write
        return {}, f"{file} is not UTF-8 text. Save it as UTF-8."
    except OSError as exc:
        return {}, f"Cannot read {file} ({exc.strerror}). Check its permissions."
    for line in parse_stream(io.StringIO(text)):
        if line.error and (named := [name for name in (KEY, HUB, LOG) if name in line.original.string]):
            # The line is not shown: it may hold the key.
            number = line.original.line
            return {}, f"Cannot parse line {number} of {file} ({named[0]}). Is a quotation mark missing?"
    return dotenv_values(stream=io.StringIO(text)), ""


def _keyring() -> SecretStr | None:
    """Return the key from the system keyring, if the optional package is installed and a keyring is unlocked."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return hidden(keyring.get_password("kling_nb", KEY))
    except keyring.errors.NoKeyringError:
        return None
    except Exception as exc:  # noqa: BLE001 - each backend raises errors of its own
        logger.warning("the system keyring cannot be read (%s)", type(exc).__name__)
        return None


def _secret(key: SecretStr | None, source: str) -> SecretStr | None:
    if not re.fullmatch(r"[!-~]*", _plain(key or "")):
        # Checked here, without showing the key: an HTTP library would quote the header that it cannot send.
        raise SettingsError(f"{KEY} ({source}) contains a space, a line break or another invalid character.")
    return key or None


def _folder(value: str | None, source: str, home: Path) -> Path:
    if value is None:
        return (home / "kling_log").absolute()
    try:
        folder = Path(value).expanduser()
    except RuntimeError:  # the home folder of an unknown user
        folder = Path("\0")
    if "\0" in str(folder):
        raise SettingsError(f"{LOG} must be a folder, got {value!r} ({source}).")
    return folder.absolute() if source == "argument" else (home / folder).absolute()


def _hub_address(value: str | None, source: str, *, has_key: bool) -> str:
    if value is None:
        return REAL_HUB if has_key else "local"
    if value.lower() == "local":
        return "local"
    import httpx

    shown = re.sub(r"//[^/]*@", "//", value.partition("?")[0])  # a password is not shown
    try:
        parts = urlsplit(value)
        port = parts.port
        (parts.hostname or "").encode("idna")
        _ = httpx.URL(value).host  # which sees more
    except (ValueError, httpx.InvalidURL):  # an unclosed IPv6 bracket, an invalid port, or a name that no host can have
        parts, port = urlsplit(""), 0
    whole = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not whole or not value.isprintable() or " " in value:
        raise SettingsError(f"{HUB} must be a base URL such as {REAL_HUB}, or 'local', got {shown!r} ({source}).")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{HUB} ({source}) must be a base URL without credentials or a query.")
    if parts.scheme == "http" and has_key and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{HUB} must use https, got {shown!r} ({source}). The key would be sent unencrypted.")
    return normalize_url(value)  # records and plans name their hub
