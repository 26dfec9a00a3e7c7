"""What a local hub can be told when it starts: its speed, its keys, and an answer to every open question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["OPEN", "Options", "open_answers"]

# Every "(open)" of HUB_API.md: the answers that are plausible, the default first.
OPEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "late_delete_status": ("200", "400", "404"),  # section 3, DELETE on a finished job
        # section 3, its body: the usual one of that status, envelopes 2 to 4, the record, or none
        "late_delete_body": ("usual", "message", "string", "status", "record", "empty"),
        "list_without_namespace": (
            "all",
            "own",
        ),  # section 3, has a list without `namespace` what others are billed for?
        "multi_shot_prompt": ("null", "empty"),  # section 3, `prompt` of a multi-shot record
        "upstream_status": ("400", "422", "500"),  # section 2, upstream errors of the synchronous route
        "sync_timeout": ("900",),  # section 2, seconds (any number) until the synchronous route gives up with a 504
        "data_uri": ("accept", "refuse"),  # section 7, refused with a 500
        "resign": ("always", "never"),  # section 3, is `result_url` signed again at each read?
        "url_lifetime": ("3600",),  # section 8, seconds (any number)
        "text_model_status": ("415", "400"),  # section 5
        "results_need_key": ("no", "yes"),  # section 8, "some observers needed the Bearer"
        "unreachable_image": ("fail", "placeholder"),  # ours: what an image URL without network gives
    }
)
_FREE = {"sync_timeout", "url_lifetime"}


@dataclass(frozen=True)
class Options:
    """The settings of one hub process."""

    speed: float = 1.0
    size: str = "720p"
    idle: float | None = None
    keys: frozenset[str] = frozenset()
    keep_alive: float = 15.0
    workers: int = 2
    faults: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=lambda: open_answers(()))

    @property
    def url_lifetime(self) -> float:
        """Seconds for which a signed URL answers."""
        return float(self.answers["url_lifetime"])

    @property
    def sync_timeout(self) -> float:
        """Seconds that the synchronous route waits for a result."""
        return float(self.answers["sync_timeout"])


def open_answers(given: tuple[str, ...] | list[str]) -> Mapping[str, str]:
    """The answers to the open questions, with `NAME=VALUE` choices laid over the defaults."""
    answers = {name: choices[0] for name, choices in OPEN.items()}
    for item in given:
        name, _, value = item.partition("=")
        if name not in OPEN:
            raise ValueError(f"no such open question: {name!r}; known: {', '.join(sorted(OPEN))}")
        if name in _FREE:
            _check_seconds(name, value)
        elif value not in OPEN[name]:
            raise ValueError(f"{name} is one of {', '.join(OPEN[name])}, not {value!r}")
        answers[name] = value
    return MappingProxyType(answers)


def _check_seconds(name: str, value: str) -> None:
    try:
        fits = 0 <= float(value) < float("inf")
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name} is a number of seconds, not {value!r}")
