"""The object store of a team: put, get, list and delete. It decides nothing, since such stores ignore conditions."""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kling_nb.errors import ArgumentError, LogError, MissingExtra
from kling_nb.models.urls import redact_urls

SCHEMES = ("s3", "gs", "az", "file")
#: The pause after a failed attempt, as a multiple of the time that it took, and its limit in seconds.
_PAUSE, _LONGEST_PAUSE = 3.0, 15.0
_TIMEOUTS = {"connect_timeout": "3s", "timeout": "120s"}


class BucketUnreachable(LogError):
    """The object store cannot be reached, or refuses."""


@dataclass
class Bucket:
    """A place for objects, `s3://bucket/prefix`; keys come from where the cloud's own tools read them."""

    address: str
    _store: Any = None
    _away: tuple[float, str] = field(default=(0.0, ""))

    def __post_init__(self) -> None:
        check_address(self.address)

    def put(self, key: str, data: bytes | Path, kind: str = "application/json") -> None:
        """Write an object whole, replacing any of that name. Raises `BucketUnreachable`."""
        attributes = {} if self._is_folder else {"Content-Type": kind}
        with self._errors() as store:
            store.put(key, data, attributes=attributes)

    def get(self, key: str) -> bytes | None:
        """Return the content of an object, None if there is none. Raises `BucketUnreachable`."""
        with self._errors(), contextlib.suppress(FileNotFoundError):
            return bytes(self._opened().get(key).bytes())
        return None

    def fetch(self, key: str, file: Path) -> bool:
        """Write an object into a file as it arrives; return whether it exists. Raises `BucketUnreachable`, OSError."""
        with self._errors() as store:
            try:
                found = store.get(key)
            except FileNotFoundError:
                return False
            with file.open("wb") as out:
                for chunk in found:
                    out.write(chunk)
            return True

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of all objects below a prefix, which ends at a `/`. Raises `BucketUnreachable`."""
        with self._errors():
            for some in self._opened().list(prefix):
                yield from (str(one["path"]) for one in some)

    def remove(self, keys: list[str]) -> None:
        """Delete objects; missing ones are ignored. Raises `BucketUnreachable`."""
        for key in keys:
            with self._errors(), contextlib.suppress(FileNotFoundError):
                self._opened().delete(key)

    def check(self) -> None:
        """Write a small object, to find missing rights before anything is paid for. Raises `BucketUnreachable`."""
        self.put("kling_nb.json", b'{"about": "the bytes of a log of kling_nb, which a team shares"}\n')

    @property
    def keys_from(self) -> str:
        """The source of the store's keys, as far as it can be told without a request."""
        if self._is_folder:
            return "no keys: a folder"
        named = {"s3": "AWS_ACCESS_KEY_ID", "gs": "GOOGLE_APPLICATION_CREDENTIALS", "az": "AZURE_STORAGE_ACCOUNT_KEY"}
        name = named[urlsplit(self.address).scheme]
        return f"environment variable {name}" if os.environ.get(name) else "the machine's own role"

    @property
    def _is_folder(self) -> bool:
        return self.address.startswith("file://")

    def _opened(self) -> Any:
        if self._store is None:
            self._store = _store(self.address)
        return self._store

    @contextlib.contextmanager
    def _errors(self) -> Generator[Any]:
        until, why = self._away
        if time.monotonic() < until:
            raise BucketUnreachable(why)
        failed, began = "", time.monotonic()
        try:
            yield self._opened()
        except ModuleNotFoundError as exc:
            raise MissingExtra("A team's log needs psycopg and obstore: pip install 'kling-nb[team]'.") from exc
        except FileNotFoundError:  # a missing object is caught by its reader: here the bucket itself is missing
            failed = "there is no such bucket"
        except Exception as exc:
            if not type(exc).__module__.startswith(("obstore", "builtins")) or isinstance(exc, _OURS):
                raise
            failed = _reason_of(exc)
        if failed:  # outside the handler: the frames below have the keys in their variables
            why = f"The team's media at {self.address} cannot be used: {failed}."
            now = time.monotonic()
            self._away = now + min(_LONGEST_PAUSE, _PAUSE * (now - began)), why
            raise BucketUnreachable(why) from None


_OURS = (TypeError, AttributeError, LookupError, LogError, AssertionError)
_REASONS = {
    "PermissionDeniedError": "your keys may not do that (access denied)",
    "UnauthenticatedError": "your keys are not valid",
}


def _reason_of(exc: Exception) -> str:
    name = type(exc).__name__
    if name in _REASONS:
        return _REASONS[name]
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    lines = [line.strip() for line in redact_urls(str(exc)).splitlines() if line.strip()]
    return (lines[0] if lines else name)[:300].rstrip(".")


def check_address(address: str) -> None:
    """Raise `ArgumentError` for anything but the address of an object store. Keys in it are not shown."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in SCHEMES and bool(parts.path.strip("/") if parts.scheme == "file" else parts.hostname)
        secret = parts.username or parts.password or parts.query or parts.fragment
    except ValueError:
        whole, secret = False, None
    if secret:
        raise ArgumentError(
            "media must be an address without keys, 's3://bucket/prefix': put them into AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    if not whole or not address.isprintable():
        raise ArgumentError(f"media must be an address such as 's3://bucket/prefix', got {address!r}.")


def _store(address: str) -> Any:
    from obstore.store import LocalStore, from_url

    if address.startswith("file://"):
        return LocalStore(urlsplit(address).path, mkdir=True, automatic_cleanup=True)
    retries = {"max_retries": 2, "retry_timeout": datetime.timedelta(seconds=10)}
    make: Any = from_url  # its stubs want each scheme's options as literals
    return make(address, client_options=_http(), retry_config=retries)  # pyright: ignore[reportArgumentType] -- its stubs want literals


def _http() -> dict[str, Any]:
    allow: Callable[[str], str] = lambda name: os.environ.get(name, "").lower()  # noqa: E731
    return {**_TIMEOUTS, **({"allow_http": True} if allow("AWS_ALLOW_HTTP") in ("1", "true") else {})}
