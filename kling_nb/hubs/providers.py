"""The providers, and the stand-in of each on this machine: made by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from pydantic import SecretStr

from kling_nb.hubs.client import HubClient
from kling_nb.hubs.fal import Apis, Fal
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.upload import UploadCache, UploadMethod

AnyHub: TypeAlias = Oxen | Fal

#: A stand-in accepts any key. Keys are removed from a hub's texts, so this one must not occur in them.
_STAND_IN_KEY = SecretStr("key-of-the-local-hub")
_FAL = "https://queue.fal.run"


class Files(NamedTuple):
    """The upload of local files: the cache of earlier ones, the method, and how many seconds fal keeps them."""

    cache: UploadCache
    method: UploadMethod
    lifetime: int | None = None


def connect(provider: str, address: str, key: SecretStr | None, files: Files) -> AnyHub:
    """Return the hub of a provider at an address."""
    return _CONNECT[provider](address, key, files)


def stand_in(provider: str, name: str, files: Files, *, instant: bool = False) -> AnyHub:
    """Return the stand-in of a provider, at the address of a server that the first request starts on this machine.

    With `instant`, it draws a clip immediately instead of acting out a queue.
    """
    headers = {"X-Local-Instant": "1"} if instant else {}
    make = partial(HubClient, partial(_start, provider, name), _STAND_IN_KEY, headers=headers, attempts=2)
    if provider == "fal":
        client = make(scheme="Key")
        return Fal(Apis(client, client, client), files.cache, files.method, name=name, lifetime=files.lifetime)
    return Oxen(make(), files.cache, files.method, name=name)


def _start(provider: str, name: str) -> str:
    import platformdirs

    from kling_nb.localhub.serve import ensure

    folder = platformdirs.user_state_path("kling_nb") / name.replace("local", "localhub")
    return ensure(folder, provider=provider)


def _oxen(address: str, key: SecretStr | None, files: Files) -> Oxen:
    return Oxen(HubClient(address, key), files.cache, files.method, name=address.rstrip("/"))


def _fal(address: str, key: SecretStr | None, files: Files) -> Fal:
    def client(url: str) -> HubClient:
        return HubClient(url, key, scheme="Key")

    if address == _FAL:
        apis = Apis(client(_FAL), client("https://rest.fal.ai"), client("https://api.fal.ai"))
    else:  # one server in the place of all of them
        apis = Apis(one := client(address), one, one)
    return Fal(apis, files.cache, files.method, name=address.rstrip("/"), lifetime=files.lifetime)


_CONNECT: Mapping[str, Callable[[str, SecretStr | None, Files], AnyHub]] = {"oxen": _oxen, "fal": _fal}
