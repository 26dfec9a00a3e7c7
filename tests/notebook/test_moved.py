"""A notebook that was moved into another folder finds its earlier records and jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hubside import HubSide
from support.records import make_record

from kling_nb.errors import LogWarning
from kling_nb.store import Log
from kling_nb.store.other_logs import other_logs, remember
from kling_nb.studio import Studio

NAME = "clips.ipynb"


def log_at(folder: Path, notebook: str | None = NAME, *, unfinished: int = 1, local: bool = False) -> Log:
    """Make a log as a kernel leaves it, with one clip and some unfinished jobs."""
    log = Log(folder, opened=remember)
    log.save(make_record(0, status="succeeded", notebook=notebook))
    for number in range(1, unfinished + 1):
        log.save(make_record(number, status="queued", notebook=notebook, local=local))
    log.close()
    return log


@pytest.fixture
def moved(studio_at: Callable[..., Studio], hub: HubSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A studio in a notebook of the same name, in another folder."""
    folder = tmp_path / "projects" / "new"
    folder.mkdir(parents=True)
    (folder / NAME).write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / NAME))
    return studio_at(hub, log=folder / "kling_log")


def shown(studio: Studio) -> list[str]:
    table = studio.log()._repr_mimebundle_()
    return [table["text/plain"], repr(studio.log()), repr(studio.resume())]


@pytest.mark.parametrize("place", ["old/kling_log", "projects/kling_log", "kling_log", "old/other name"])
def test_a_new_log_says_where_the_records_and_paid_jobs_are_and_how_to_use_them(
    moved: Studio, tmp_path: Path, place: str
) -> None:
    log_at(tmp_path / place, unfinished=2)
    for text in shown(moved):
        assert f"{tmp_path / place} (3 records, 2 unfinished paid jobs)" in text
        assert f"kn.configure(log={str(tmp_path / place)!r})" in text and "kn.resume()" in text
    assert str(tmp_path / place) in moved.log()._repr_mimebundle_()["text/html"]
    assert not moved.store.folder.exists(), "asking writes nothing"


def test_a_log_above_is_found_without_the_list(moved: Studio, tmp_path: Path) -> None:
    Log(tmp_path / "projects" / "kling_log").save(make_record(0, notebook=NAME, status="succeeded"))
    assert all(str(tmp_path / "projects" / "kling_log") in text for text in shown(moved))


def test_paying_in_a_new_log_warns_once_since_budgets_are_in_the_old_one(moved: Studio, tmp_path: Path) -> None:
    log_at(tmp_path / "old" / "kling_log")
    with pytest.warns(LogWarning, match="1 unfinished paid job"):
        moved.generate("a kite", duration=3).wait(60)
    moved.generate("a boat", duration=3).wait(60)
    assert not any("old" in text for text in shown(moved)), "this log has records now"


def test_a_plan_in_a_new_log_warns_once_and_makes_its_clips(moved: Studio, tmp_path: Path) -> None:
    log_at(tmp_path / "old" / "kling_log")
    plan = moved.sweep(prompt=["a kite", "a boat"], duration=3)
    with pytest.warns(LogWarning, match="1 unfinished paid job") as warned:
        records = plan.run().result(60)
    assert [record.status for record in records] == ["succeeded"] * 2
    assert len(warned) == 1


@pytest.mark.parametrize(
    ("notebook", "unfinished", "local"), [("another.ipynb", 3, False), (None, 3, False)], ids=["another", "a script"]
)
def test_records_of_another_notebook_are_not_mentioned(
    moved: Studio, tmp_path: Path, notebook: str | None, unfinished: int, local: bool
) -> None:
    log_at(tmp_path / "old" / "kling_log", notebook, unfinished=unfinished, local=local)
    assert not any("old" in text for text in shown(moved))


def test_free_jobs_of_the_local_hub_are_not_called_paid(tmp_path: Path) -> None:
    log_at(tmp_path / "old", local=True)
    (found,) = other_logs(tmp_path / "new", tmp_path, NAME)
    assert (found.records, found.unfinished) == (2, 0)


def test_a_log_with_records_says_nothing(moved: Studio, tmp_path: Path) -> None:
    log_at(tmp_path / "old" / "kling_log")
    log_at(moved.store.folder, unfinished=0)
    assert not any("old" in text for text in shown(moved))


def test_the_list_is_small_and_forgets_logs_that_are_gone(tmp_path: Path) -> None:
    import platformdirs

    for number in range(60):
        (tmp_path / f"log{number}").mkdir()
        remember(tmp_path / f"log{number}")
    remember(tmp_path / "log7")
    (tmp_path / "log59").rmdir()
    remember(tmp_path / "log8")
    names = json.loads((platformdirs.user_state_path("kling_nb") / "logs.json").read_text())
    assert [Path(name).name for name in names[:4]] == ["log8", "log7", "log58", "log57"]
    assert len(names) <= 50


@pytest.mark.parametrize("content", ["", "{", "[1, null, {}]", '"x"', "[" * 100_000, '["\\u0000", "/nowhere"]'])
def test_a_damaged_list_is_as_an_empty_one(tmp_path: Path, content: str) -> None:
    import platformdirs

    file = platformdirs.user_state_path("kling_nb") / "logs.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    assert other_logs(tmp_path / "new", tmp_path, NAME) == []
    log_at(tmp_path / "old")
    assert [found.folder for found in other_logs(tmp_path / "new", tmp_path, NAME)] == [tmp_path / "old"]


def test_a_home_that_cannot_be_written_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert log_at(tmp_path / "old").count() == 2


def test_outside_notebooks_only_logs_above_are_mentioned(tmp_path: Path) -> None:
    log_at(tmp_path / "old" / "kling_log")
    log_at(tmp_path / "projects" / "kling_log", "another.ipynb")
    found = other_logs(tmp_path / "projects" / "new" / "kling_log", tmp_path / "projects" / "new", None)
    assert [one.folder for one in found] == [tmp_path / "projects" / "kling_log"]
