"""What is written down before anything is sent: one record for each generation of a request. Pure."""

from __future__ import annotations

import datetime
import platform
import secrets
from collections.abc import Sequence
from functools import cache
from importlib import metadata

from kling_nb.models.canonical import canonical_request, delivery_of, hash_of
from kling_nb.models.price import Estimate
from kling_nb.models.record import Kind, Record, Times
from kling_nb.models.request import Request


def records_for(
    request: Request,
    *,
    hub: str,
    local: bool,
    kind: Kind,
    estimate: Estimate,
    now: datetime.datetime,
    notebook: str | None = None,
    rerun_of: str | None = None,
    plan: str | None = None,
    cell: str | None = None,
    tags: Sequence[str] = (),
) -> list[Record]:
    """Return the records of a request's generations, all `prepared`, joined by one batch id."""
    canonical = canonical_request(request)
    batch = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    first = Record(
        id=f"{batch}-0",
        batch=batch,
        generations=request.num_generations,
        kind=kind,
        hub=hub,
        local=local,
        model=request.model,
        canonical=canonical,
        request_hash=hash_of(canonical),
        delivery=delivery_of(request),
        estimate=estimate,
        times=Times(created=now),
        notebook=notebook,
        rerun_of=rerun_of,
        plan=plan,
        cell=cell,
        tags=tuple(dict.fromkeys(filter(None, map(str.strip, tags)))),
        versions=versions(),
    )
    return [sibling(first, index) for index in range(request.num_generations)]


def sibling(record: Record, index: int) -> Record:
    """Return the record of another generation of the same request, as it was before anything was sent."""
    return record.model_copy(update={"id": f"{record.batch}-{index}", "index": index})


@cache
def versions() -> dict[str, str]:
    """What made the record: this package, Python and the machine's kind."""
    return {
        "kling_nb": metadata.version("kling-nb"),
        "python": platform.python_version(),
        "platform": platform.system().lower(),
    }
