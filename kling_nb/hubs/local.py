"""The local hub: the same hub as Oxen's, at the address of a server that the first request starts on this machine."""

from __future__ import annotations

from pydantic import SecretStr

from kling_nb.hubs.client import HubClient
from kling_nb.hubs.oxen import Oxen
from kling_nb.hubs.upload import UploadCache, UploadMethod


def local_hub(cache: UploadCache, method: UploadMethod, *, instant: bool = False) -> Oxen:
    """Return the local hub; with `instant`, it draws a clip at once instead of acting out a queue."""
    # Any key will do. This one is in no text of the hub's, from which a key is taken out.
    key = SecretStr("key-of-the-local-hub")
    headers = {"X-Local-Instant": "1"} if instant else {}
    return Oxen(HubClient(_start, key, headers=headers, attempts=2), cache, method, name="local")


def _start() -> str:
    import platformdirs

    from kling_nb.localhub.serve import ensure

    return ensure(platformdirs.user_state_path("kling_nb") / "localhub")
