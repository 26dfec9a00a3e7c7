"""Drafts of a panel are saved in the log and found by notebook and cell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubside import HubSide, until

from kling_nb.store.named import NamedValues
from kling_nb.studio import Studio
from kling_nb.ui.panel import drafts
from kling_nb.ui.panel.panel import Panel


def prompt_kept(studio: Studio, name: str = "") -> str:
    return (studio.store.values.load("draft", name) or {"fields": {}})["fields"].get("prompt", "")


class Writer:
    """A user who opens panels in cells of notebooks. Each `restart` is another kernel with the same log."""

    def __init__(self, kernel: Callable[[], Studio], monkeypatch: pytest.MonkeyPatch) -> None:
        self._kernel, self._patch = kernel, monkeypatch
        monkeypatch.setattr(drafts, "_DELAY", 0.01)
        self.restart()

    def restart(self) -> None:
        self._studio = self._kernel()

    def opens(self, notebook: str, cell: str = "") -> Panel:
        """The panel of a cell; without a cell, in a front end that does not give its id."""
        self._patch.setenv("JPY_SESSION_NAME", f"/somewhere/{notebook}")
        self._patch.setattr(drafts, "cell_id", lambda: cell)
        return self._studio.panel()

    def writes(self, notebook: str, cell: str, prompt: str) -> None:
        self.opens(notebook, cell).fill({"prompt": prompt})
        until(lambda: prompt_kept(self._studio, f"{notebook}/{cell}" if cell else notebook) == prompt)

    def finds(self, notebook: str, cell: str = "") -> str:
        return self.opens(notebook, cell).fields.get("prompt", "")


@pytest.fixture
def writer(studio_at: Callable[..., Studio], hub: HubSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writer:
    return Writer(lambda: studio_at(hub, log=tmp_path / "log"), monkeypatch)


def test_each_cell_of_a_notebook_has_its_own_draft(writer: Writer) -> None:
    writer.writes("a.ipynb", "one", "A kite")
    assert writer.finds("a.ipynb", "two") == ""
    writer.writes("a.ipynb", "two", "A boat")
    writer.restart()
    assert (writer.finds("a.ipynb", "one"), writer.finds("a.ipynb", "two")) == ("A kite", "A boat")


def test_a_draft_follows_its_cell_when_the_notebook_is_renamed(writer: Writer) -> None:
    writer.writes("Untitled.ipynb", "one", "A kite")
    writer.writes("Untitled.ipynb", "two", "A boat")
    writer.restart()
    assert writer.finds("kites.ipynb", "one") == "A kite"
    writer.writes("kites.ipynb", "one", "A red kite")
    assert writer.finds("Untitled.ipynb", "one") == "A kite", "of a copy, each has a draft of its own"
    writer.restart()
    assert writer.finds("yet-another-name.ipynb", "one") == "A red kite", "the newest of what it was called"


def test_a_draft_survives_the_loss_of_the_index(writer: Writer, tmp_path: Path) -> None:
    writer.writes("a.ipynb", "one", "A kite")
    for file in (tmp_path / "log").glob("index*"):
        file.unlink()
    writer.restart()
    assert writer.finds("a.ipynb", "one") == "A kite"


def test_a_new_cell_starts_empty_whatever_its_notebook_is_called(writer: Writer) -> None:
    writer.writes("Untitled.ipynb", "one", "A kite")
    writer.restart()
    assert writer.finds("Untitled.ipynb", "another") == ""


@pytest.mark.parametrize(("before", "after"), [("", ""), ("", "one"), ("one", "")])
def test_without_a_cell_id_the_notebook_has_one_draft(writer: Writer, before: str, after: str) -> None:
    writer.writes("a.ipynb", before, "A kite")
    writer.restart()
    assert writer.finds("b.ipynb", after and "another") == ""
    assert writer.finds("a.ipynb", after) == "A kite"
    assert writer.finds("a.ipynb", after and "another") == ("" if after else "A kite"), "it is the first cell's now"


def test_the_last_draft_counts_whichever_frontend_wrote_it(writer: Writer) -> None:
    writer.writes("a.ipynb", "one", "A kite")
    writer.writes("a.ipynb", "", "A red kite")
    writer.restart()
    assert writer.finds("a.ipynb", "one") == "A red kite"


def test_opening_a_panel_writes_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "_DELAY", 0.0)
    studio.store.values.save("draft", "", {"fields": {"prompt": "A kite"}, "references": []})
    kept, written = studio.store.values.save, list[str]()
    monkeypatch.setattr(NamedValues, "save", lambda _, kind, *rest: (written.append(kind), kept(kind, *rest)))

    draft = drafts.SavedDraft(studio.store, studio.session.loop)
    draft.save({"prompt": ""})  # as a panel does: empty first, and then what was being written
    assert draft.load() == {"prompt": "A kite"}
    draft.save({"prompt": "A kite"})
    draft.save({"prompt": "A red kite"})

    until(lambda: prompt_kept(studio) == "A red kite")
    assert written == ["draft"]


@pytest.mark.parametrize("trouble", ["slow", "odd"])
def test_the_last_draft_is_saved_even_if_saving_an_earlier_one_is_slow_or_fails(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    save, begun, later, done = studio.store.values.save, threading.Event(), threading.Event(), list[str]()

    def troubled(kind: str, name: str, value: Any) -> None:
        prompt = value["fields"]["prompt"]
        if prompt == "first":
            begun.set()
            if trouble == "odd":
                done.append(prompt)
                raise RuntimeError("nobody expected this")
            later.wait(2)  # a later draft must not get in here
        save(kind, name, value)
        later.set()
        done.append(prompt)

    monkeypatch.setattr(NamedValues, "save", lambda _, *given: troubled(*given))
    panel = studio.panel()
    panel.fill({"prompt": "first"})
    assert begun.wait(60)
    panel.fill({"prompt": "second"})

    until(lambda: sorted(done) == ["first", "second"])
    assert prompt_kept(studio) == "second"
    assert studio.panel().fields["prompt"] == "second"
