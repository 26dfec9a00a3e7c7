"""Whatever a cell gives to a verb, the answer is a result or an error of this package that says what is wrong."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hubside import HubSide

from kling_nb.errors import KlingError
from kling_nb.studio import Studio

ANYTHING: tuple[Any, ...] = (
    None, 3, -1, float("nan"), b"x", "", "\0", "\udce4", "no such thing", [], {}, ["a", 3], object(),
)  # fmt: skip
#: Verbs that start or await work, which takes long; one that ends the studio; `index` of any
#: sequence; and `card`, which the display calls.
LEFT_OUT = {"generate", "preview", "score", "resume", "gather", "close", "index", "card"}


def attempts(verb: Callable[..., Any]) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield the name of each parameter of a verb, and a call that gives that one alone."""
    for name, parameter in inspect.signature(verb).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            yield name, verb
        elif parameter.kind is not parameter.VAR_KEYWORD:
            yield name, lambda value, name=name: verb(**{name: value})


def verbs(owner: object) -> list[str]:
    return [
        name
        for name, value in inspect.getmembers_static(type(owner), inspect.isfunction)
        if not name.startswith("_") and name not in LEFT_OUT
    ]


def of_others(owner: object) -> list[str]:
    """Return the calls of an object's verbs that raised an error which is not of this package."""
    found: list[str] = []
    for verb in verbs(owner):
        for name, call in attempts(getattr(owner, verb)):
            for value in ANYTHING:
                try:
                    call(value)
                except KlingError:
                    continue
                except TypeError as exc:
                    if "missing" not in str(exc):  # another argument, which this case leaves out
                        found.append(f"{verb}({name}={value!r}): {exc!r}")
                except Exception as exc:  # noqa: BLE001 - those that must not come are unknown
                    found.append(f"{verb}({name}={value!r}): {exc!r}")
    return found


@pytest.mark.parametrize("owner", ["studio", "log", "records", "hub", "job"])
def test_a_wrong_argument_is_a_result_or_an_error_of_this_package(studio: Studio, hub: HubSide, owner: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        job = studio.generate("a boat", duration=3)
        job.result(60)
        owners = {"studio": studio, "log": studio.log, "records": studio.log(), "hub": studio.hub, "job": job}
        assert of_others(owners[owner]) == []
