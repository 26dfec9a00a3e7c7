"""What is being written in a panel is kept in the log, the last of it last."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hubside import until

from kling_nb.studio import Studio


def prompt_kept(studio: Studio) -> str:
    return (studio.store.kept("draft", "") or {"fields": {}})["fields"].get("prompt", "")


@pytest.mark.parametrize("trouble", ["slow", "odd"])
def test_the_last_draft_stays_whatever_became_of_the_one_before(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    keep, begun, later, done = studio.store.keep, threading.Event(), threading.Event(), list[str]()

    def troubled(kind: str, name: str, value: Any) -> None:
        prompt = value["fields"]["prompt"]
        if prompt == "first":
            begun.set()
            if trouble == "odd":
                done.append(prompt)
                raise RuntimeError("nobody expected this")
            later.wait(2)  # a later draft must not get in here
        keep(kind, name, value)
        later.set()
        done.append(prompt)

    monkeypatch.setattr(studio.store, "keep", troubled)
    panel = studio.panel()
    panel.fill({"prompt": "first"})
    assert begun.wait(30)
    panel.fill({"prompt": "second"})

    until(lambda: sorted(done) == ["first", "second"])
    assert prompt_kept(studio) == "second"
    assert studio.panel().fields["prompt"] == "second"
