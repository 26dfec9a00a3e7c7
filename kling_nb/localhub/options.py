"""Settings of a local hub process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

# Behaviour that docs/contracts/hub-api.md marks as open: the plausible values, the default first.
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "late_delete_status": ("200", "400", "404"),  # DELETE on a finished job
        # Its body: the usual one of that status, envelopes 2 to 4, the record, or none.
        "late_delete_body": ("usual", "message", "string", "status", "record", "empty"),
        "list_without_namespace": ("all", "own"),  # whether it includes jobs that are billed to other namespaces
        "multi_shot_prompt": ("null", "empty"),  # `prompt` in the record of a multi-shot job
        "upstream_status": ("400", "422", "500"),  # upstream errors of the synchronous route
        "sync_timeout": ("900",),  # any number of seconds until the synchronous route answers 504
        "data_uri": ("accept", "refuse"),  # "refuse" answers 500
        "resign": ("always", "never"),  # whether each read signs `result_url` again
        "url_lifetime": ("3600",),  # any number of seconds
        "text_model_status": ("415", "400"),
        "results_need_key": ("no", "yes"),
        "unreachable_image": ("fail", "placeholder"),  # not in the contract: images without a network
    }
)
SECONDS = frozenset({"sync_timeout", "url_lifetime"})


@dataclass(frozen=True)
class Options:
    """The settings of one hub process; `__main__` documents them."""

    speed: float = 1.0
    size: str = "720p"
    idle: float | None = None
    keys: frozenset[str] = frozenset()
    keep_alive: float = 15.0
    workers: int = 2
    faults: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=lambda: parse_choices(()))


def parse_choices(
    items: Sequence[str], known: Mapping[str, tuple[str, ...]] = CHOICES, seconds: frozenset[str] = SECONDS
) -> Mapping[str, str]:
    """Return all choices: the defaults, overridden by `NAME=VALUE` items.

    Args:
        items: What is chosen.
        known: The choices of a provider.
        seconds: Those of them that are a number of seconds.

    Raises:
        ValueError: An item has an unknown name or value.
    """
    choices = {name: values[0] for name, values in known.items()}
    for item in items:
        name, _, value = item.partition("=")
        if name not in known:
            raise ValueError(f"Unknown choice {name!r}. Choose from {', '.join(sorted(known))}.")
        if name in seconds and not _is_duration(value):
            raise ValueError(f"{name} must be a number of seconds, got {value!r}.")
        if name not in seconds and value not in known[name]:
            raise ValueError(f"{name} must be one of {', '.join(known[name])}, got {value!r}.")
        choices[name] = value
    return MappingProxyType(choices)


def _is_duration(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
