"""The steps of a send on a team's log, at each of which a kernel can be made to kill itself: for `tests.kills`."""

from __future__ import annotations

import functools
import inspect
import os
import pkgutil
import signal
from collections.abc import Callable
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A call of the product; `wanted` says of which arguments."""

    where: str
    when: str
    wanted: Callable[..., bool] = lambda *_, **__: True


def _of(status: str) -> Callable[..., bool]:
    return lambda _self, record, *_: record.status == status


def _is_submit(_self: Any, request: Any) -> bool:
    return request.method == "POST" and request.url.path.endswith("/api/ai/queue")


_TEAM = "kling_nb.store.team"
#: In the order of a send.
STEPS = {
    "before the claim": Step(f"{_TEAM}.log:TeamLog.alone", "before"),
    "after the claim, before the record": Step(f"{_TEAM}.records:TeamRecords.add", "before"),
    "after the record": Step(f"{_TEAM}.records:TeamRecords.add", "after"),
    "before the decision": Step(f"{_TEAM}.budget:TeamBudget.spend", "before"),
    "within the decision": Step(f"{_TEAM}.budget:enforce", "after"),
    "after the decision": Step(f"{_TEAM}.budget:TeamBudget.spend", "after"),
    "before the POST": Step("httpx:AsyncHTTPTransport.handle_async_request", "before", _is_submit),
    "after the POST, before its answer": Step("httpx:AsyncHTTPTransport.handle_async_request", "after", _is_submit),
    "after the answer, before the ticket": Step("kling_nb.hubs.client:HubClient.send_once", "after"),
    "after the ticket": Step(f"{_TEAM}.records:TeamRecords.save", "after", _of("queued")),
    "before a lost ticket is claimed": Step(f"{_TEAM}.log:TeamLog.claim", "before"),
    "after a lost ticket is claimed": Step(f"{_TEAM}.log:TeamLog.claim", "after"),
    "after a takeover": Step(f"{_TEAM}.records:TeamRecords.take", "after"),
    "before the fetch": Step("kling_nb.store.log:Log.partial", "before"),
    "after the fetch": Step("kling_nb.store.log:Log.add_clip", "before"),
    "after the clip, before its record": Step("kling_nb.store.log:Log.add_clip", "after"),
    "after the record of the clip": Step(f"{_TEAM}.records:TeamRecords.save", "after", _of("succeeded")),
    "before the bucket": Step(f"{_TEAM}.media:TeamMedia.send", "before"),
    "after the bucket, before it is noted": Step(
        f"{_TEAM}.bucket:Bucket.put", "after", lambda _self, key, *_: key.startswith("media/")
    ),
    "before the sidecar": Step(f"{_TEAM}.sync:Sync._put", "before"),
    "after the sidecar, before it is noted": Step(f"{_TEAM}.sync:Sync._put", "after"),
    "before the old sidecar is deleted": Step(
        f"{_TEAM}.bucket:Bucket.remove", "before", lambda _self, keys: bool(keys)
    ),
}


def arm(name: str, skip: int) -> None:
    """Have this process kill itself at a step, after so many times at which it goes on."""
    step, left = STEPS[name], [skip]
    owner_name, _, attribute = step.where.partition(":")
    owner: Any = pkgutil.resolve_name(owner_name)
    *classes, attribute = attribute.split(".")
    for each in classes:
        owner = getattr(owner, each)
    call = getattr(owner, attribute)

    def reached(when: str, given: tuple[Any, ...]) -> None:
        if when == step.when and step.wanted(*given):
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    @functools.wraps(call)
    def plain(*given: Any, **named: Any) -> Any:
        reached("before", given)
        result = call(*given, **named)
        reached("after", given)
        return result

    @functools.wraps(call)
    async def awaited(*given: Any, **named: Any) -> Any:
        reached("before", given)
        result = await call(*given, **named)
        reached("after", given)
        return result

    setattr(owner, attribute, awaited if inspect.iscoroutinefunction(call) else plain)
