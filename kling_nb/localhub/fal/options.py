"""The faults of fal's stand-in, and its behaviour where the wire contract leaves it open."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ALL = ("", "/")
_SUBMIT = ("POST", "/:endpoint")
_STATUS = ("GET", "/:app/requests/:id/status")
_RESULT = ("GET", "/:app/requests/:id")
_HISTORY = ("GET", "/v1/models/requests/")
_MEDIA = ("GET", "/files/")
_CATALOGUE = ("", "no request")

# The method and the start of the counted path (see `FalHub.label`) that a fault applies to unless its `match` says
# otherwise. A fault that Oxen's stand-in has too has the same name.
FAULTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "unauthenticated": _ALL,
        "insufficient_credits": ("POST", "/"),  # 403: the account is locked, for submits and uploads
        "forbidden": ("GET", "/v1/"),
        "not_found": _ALL,
        "model_not_found": _SUBMIT,
        "rate_limited": _ALL,
        "unknown_error": _ALL,
        "upstream": _ALL,
        "html": _ALL,  # 502 of a proxy, without `x-fal-request-id`
        "nested_json": _ALL,
        "dropped_connection": _ALL,
        "empty_200": _SUBMIT,  # accepted, and answered without an id
        "lost_reply": _SUBMIT,  # accepted, and the connection ends
        "lost_to_proxy": _SUBMIT,  # accepted, and answered with 502 by a proxy
        "slow_reply": _SUBMIT,
        "foreign_urls": _SUBMIT,  # the URLs of the reply point to the media host
        "stuck": _SUBMIT,
        "failed": _SUBMIT,
        "requeued": _SUBMIT,  # a runner fails: back from IN_PROGRESS to IN_QUEUE
        "changed_record": _STATUS,
        "result_gone": _RESULT,
        "ignored_cancel": ("PUT", "/:app/requests/:id/cancel"),
        "late_listing": _HISTORY,
        "no_payloads": _HISTORY,
        "dropped_events": ("GET", "/:app/requests/:id/status/stream"),
        "interrupted_download": _MEDIA,
        "slow_download": _MEDIA,
        "expired_url": _MEDIA,
        "wrong_result": _MEDIA,
        "endless_result": _MEDIA,
        "withdrawn": _CATALOGUE,
        "changed_schema": _CATALOGUE,
        "changed_price": _CATALOGUE,
    }
)

# Behaviour that docs/contracts/fal-api.md marks as open: the plausible values, the default first.
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "url_form": ("app", "endpoint", "response"),  # the URLs of a reply
        "unknown_keys": ("ignore", "refuse"),  # 422 at the result
        "status_error": ("no", "yes"),  # whether the status of a request that the model refused has `error`
        "early_result": ("400", "202"),
        "cancel_running": ("stops", "completes"),
        "history_lag": ("0",),  # any number of seconds until a row is there
        "history_running": ("yes", "no"),  # whether a running request is a row
        "history_queued": ("no", "yes"),
        "result_lifetime": ("2592000",),  # any number of seconds after which the result is gone
        "sync_timeout": ("900",),
        "data_uri": ("accept", "refuse"),
        "unreachable_image": ("fail", "placeholder"),
    }
)
SECONDS = frozenset({"history_lag", "result_lifetime", "sync_timeout"})
