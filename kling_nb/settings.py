"""The key, the hub and the log's folder, each with its source; read at the first use, never at import."""

from __future__ import annotations

import getpass
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

#: fal.ai takes 0 for "never expires", and less than this for too short.
_LEAST_LIFETIME = 60
REAL_HUB = "https://hub.oxen.ai"
KEY, HUB, LOG = "OXEN_API_KEY", "KLING_NB_HUB", "KLING_NB_LOG"
FAL_KEY, FAL_LIFETIME = "FAL_KEY", "KLING_NB_FAL_LIFETIME"
_FAL_PARTS = ("FAL_KEY_ID", "FAL_KEY_SECRET")
#: The names of the providers, each with the variable of its key and its address.
PROVIDERS: Mapping[str, tuple[str, str]] = {"oxen": (KEY, REAL_HUB), "fal": (FAL_KEY, "https://queue.fal.run")}
#: The local hubs, each with the provider whose contract it speaks.
LOCAL: Mapping[str, str] = {"local": "oxen", "local-fal": "fal"}
_KEYS = (KEY, FAL_KEY, *_FAL_PARTS)
DATABASE, MEDIA, USER = "KLING_NB_DATABASE", "KLING_NB_MEDIA", "KLING_NB_USER"
_NAMES = (*_KEYS, HUB, LOG, FAL_LIFETIME, DATABASE, MEDIA, USER)
#: Those that may hold a secret.
_SECRET = (*_KEYS, DATABASE)
_FAL_HOSTS = ("fal.ai", "fal.run", "queue.fal.run", "api.fal.ai")


@dataclass(frozen=True)
class Settings:
    """The settings of a studio.

    Attributes:
        key: The API key of the hub in use; it is sent to its provider's API and nowhere else.
        hub: The hub in use: a base URL, or the name of a local hub.
        log: The log's folder.
        database: The address of a team's database, `postgresql://host/name`; None without a team.
        media: The address of a team's media, `s3://bucket/prefix`; None without a team.
        user: Who makes records here.
        sources: Where each value came from, by the name of its environment variable.
        provider: The name of the provider whose contract the hub in use speaks.
        keys: The key of each provider that has one.
        lifetime: For how many seconds fal.ai keeps files; None for the account's own setting.
    """

    key: SecretStr | None = None
    hub: str = "local"
    log: Path = Path("kling_log")
    database: SecretStr | None = None
    media: str | None = None
    user: str = ""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    provider: str = "oxen"
    keys: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    lifetime: int | None = None

    @property
    def local(self) -> bool:
        """Whether a local hub is used."""
        return self.hub in LOCAL


def hidden(key: Any) -> Any:
    """Return a key that is not plain text any more: a traceback may show every variable. Any other value too."""
    if key is None or isinstance(key, Secret | SecretStr):
        return key
    return SecretStr(key) if isinstance(key, str) else Secret(key)


def check_given(
    key: SecretStr | None,
    hub: str | None,
    log: str | Path | None,
    database: str | SecretStr | None = None,
    media: str | None = None,
) -> None:
    """Check settings as they are given, without reading anything. Raises `SettingsError`."""
    secret = _secret(KEY, _text(KEY, key), "argument")
    _hub_address(_text(HUB, hub), "argument", {} if secret is None else {"oxen": secret, "fal": secret})
    _folder(_text(LOG, log), "argument", Path())
    _without_password(_text(DATABASE, database))
    _text(MEDIA, media)


def read_settings(
    *,
    key: str | SecretStr | None = None,
    hub: str | None = None,
    log: str | Path | None = None,
    database: str | SecretStr | None = None,
    media: str | None = None,
    beside: Path,
    keyring: bool = True,
) -> Settings:
    """Read the settings from the arguments, the environment, `.env`, and for the key also the system keyring.

    The first source that names a setting decides; an empty key means no key. Without a key and a hub, the local hub is
    used.

    Args:
        key, hub, log, database, media: Values that override every other source.
        beside: The notebook's folder, where the log is by default. `.env` is read from the current folder and from
            this one.
        keyring: Whether the system keyring is read.

    Raises:
        SettingsError: A value cannot be used.
    """
    home, key = beside, hidden(key)
    database = hidden(database)
    own, given = _text(KEY, key), {HUB: _text(HUB, hub), LOG: _text(LOG, log)}
    given |= {DATABASE: _without_password(_text(DATABASE, database)), MEDIA: _text(MEDIA, media)}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(source: str, found: Mapping[str, Any]) -> None:
        for name in _NAMES:
            if found.get(name) is None or name in values:
                continue
            value = _plain(found[name]).strip()
            if value or name in _KEYS:
                values[name], sources[name] = hidden(value) if name in _SECRET else value, source.format(name=name)

    take("argument", given)
    take("environment variable {name}", os.environ)
    for folder in dict.fromkeys((Path.cwd(), home)):
        take(".env file" if folder == Path.cwd() else ".env file beside the notebook", _dotenv(folder / ".env"))
    chosen = values.get(HUB)
    if own is not None:  # the key of the hub that is chosen
        name = PROVIDERS[_hub_address(chosen, sources.get(HUB, ""), {})[0]][0]
        values[name], sources[name] = hidden(_plain(own).strip()), "argument"
    if FAL_KEY not in values and all(_plain(values.get(part) or "") for part in _FAL_PARTS):
        values[FAL_KEY] = hidden(":".join(_plain(values[part]) for part in _FAL_PARTS))
        sources[FAL_KEY] = sources[_FAL_PARTS[0]]
    if keyring and (chosen or "").lower() not in LOCAL:  # a locked one asks the user
        provider = _hub_address(chosen, sources.get(HUB, ""), {})[0] if chosen else "oxen"
        if (name := PROVIDERS[provider][0]) not in values:
            take("system keyring", {name: _keyring(name)})
        if not chosen and KEY not in values and FAL_KEY not in values:
            take("system keyring", {FAL_KEY: _keyring(FAL_KEY)})
    keys: dict[str, SecretStr] = {}
    for provider, (name, _) in PROVIDERS.items():
        if (secret := _secret(name, values.get(name), sources.get(name, ""))) is not None:
            keys[provider] = secret
        else:
            sources.pop(name, None)
    for part in _FAL_PARTS:
        sources.pop(part, None)
    provider, address = _hub_address(chosen, sources.get(HUB, "default"), keys)
    folder = _folder(values.get(LOG), sources.get(LOG, ""), home)
    lifetime = _lifetime(values.get(FAL_LIFETIME), sources.get(FAL_LIFETIME, ""))
    team = _both_or_neither(values.get(DATABASE), values.get(MEDIA), sources)
    user = _user(values.get(USER))
    return Settings(keys.get(provider), address, folder, *team, user, sources, provider, keys, lifetime)


def _lifetime(value: str | None, source: str) -> int | None:
    if value is None:
        return None
    if not re.fullmatch("[1-9][0-9]{1,9}", value) or int(value) < _LEAST_LIFETIME:
        raise SettingsError(
            f"{FAL_LIFETIME} must be a number of seconds of {_LEAST_LIFETIME} or more, got {value!r} ({source})."
        )
    return int(value)


def _both_or_neither(
    database: SecretStr | None, media: str | None, sources: Mapping[str, str]
) -> tuple[SecretStr | None, str | None]:
    if (database is None) != (media is None):
        there, lacks = (DATABASE, MEDIA) if database else (MEDIA, DATABASE)
        example = "postgresql://host/name" if lacks == DATABASE else "s3://bucket/prefix"
        raise SettingsError(
            f"{there} ({sources[there]}) is set and {lacks} is not: a team's log needs both. Set {lacks}={example}, or "
            f"remove {there}."
        )
    return database, media


def _without_password(database: str | SecretStr | None) -> str | SecretStr | None:
    """Return the address of a database that a notebook gives. Raises `SettingsError` if it holds a password."""
    if re.search(r"//[^/@]*:[^/@]+@|[?&]password=", _plain(database or "")):
        raise SettingsError(
            f"A password must not be in a notebook: put it into PGPASSWORD, into ~/.pgpass, or set {DATABASE} in the "
            "environment."
        )
    return database


def _user(name: str | None) -> str:
    """Return who makes records: the given name, or that of the login."""
    if name is None:
        try:
            name = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a container whose user has no name
            return ""
    return "".join(one for one in name if one.isprintable())[:100].strip()


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
        if line.error and (named := [name for name in _NAMES if name in line.original.string]):
            # The line is not shown: it may hold the key.
            number = line.original.line
            return {}, f"Cannot parse line {number} of {file} ({named[0]}). Is a quotation mark missing?"
    return dotenv_values(stream=io.StringIO(text)), ""


def _keyring(name: str) -> SecretStr | None:
    """Return a key from the system keyring, if the optional package is installed and a keyring is unlocked."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return hidden(keyring.get_password("kling_nb", name))
    except keyring.errors.NoKeyringError:
        return None
    except Exception as exc:  # noqa: BLE001 - each backend raises errors of its own
        logger.warning("the system keyring cannot be read (%s)", type(exc).__name__)
        return None


def _secret(name: str, key: SecretStr | None, source: str) -> SecretStr | None:
    if not re.fullmatch(r"[!-~]*", _plain(key or "")):
        # Checked here, without showing the key: an HTTP library would quote the header that it cannot send.
        raise SettingsError(f"{name} ({source}) contains a space, a line break or another invalid character.")
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


def _hub_address(value: str | None, source: str, keys: Mapping[str, SecretStr]) -> tuple[str, str]:
    """Return the provider and the address that a value names; without one, those of the first provider with a key."""
    if value is None:
        provider = next((name for name in PROVIDERS if name in keys), None)
        return (provider, PROVIDERS[provider][1]) if provider else ("oxen", "local")
    name = value.lower()
    if name in LOCAL:
        return LOCAL[name], name
    if name in PROVIDERS:
        return name, PROVIDERS[name][1]
    provider, plus, address = name.partition("+")
    if not (plus and provider in PROVIDERS):
        provider, address = "oxen", value
    else:
        address = value.partition("+")[2]
    address = _base_url(address, source, has_key=provider in keys)
    if provider == "oxen" and urlsplit(address).hostname in _FAL_HOSTS:
        return "fal", PROVIDERS["fal"][1]
    return provider, address


def _base_url(value: str, source: str, *, has_key: bool) -> str:
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
        names = ", ".join(map(repr, (*PROVIDERS, "local")))
        message = f"{HUB} must be a base URL such as {REAL_HUB}, or one of {names}, got {shown!r} ({source})."
        raise SettingsError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{HUB} ({source}) must be a base URL without credentials or a query.")
    if parts.scheme == "http" and has_key and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{HUB} must use https, got {shown!r} ({source}). The key would be sent unencrypted.")
    return normalize_url(value)  # records and plans name their hub
