"""A cell that runs again gets the jobs that it has started, if the option `reuse` is on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kling_nb.errors import SettingsError
from kling_nb.studio import Studio


@pytest.fixture
def shell(studio: Studio) -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(user_ns={"kn": studio})
    yield shell
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> Any:
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
    return result.result


def test_a_cell_that_runs_again_pays_once(shell: InteractiveShell, studio: Studio, capsys: Any) -> None:
    studio.options.reuse = True
    twice = "[kn.generate('a paper boat', duration=3).id for _ in range(2)]"
    first = run(shell, twice)
    assert len(set(first)) == 2
    assert "kn.options.reuse" not in capsys.readouterr().out
    assert run(shell, twice) == first
    assert "kn.options.reuse" in capsys.readouterr().out
    assert run(shell, twice + "  # another cell") != first
    again = "kn.log()[-1].rerun(duration=4).id"
    assert run(shell, again) == run(shell, again)
    assert len(studio.log()) == 5


def test_a_job_without_a_clip_is_started_again(shell: InteractiveShell, studio: Studio) -> None:
    studio.options.reuse = True
    cell = "job = kn.generate('a paper boat', duration=3); job.cancel().result(); job.wait(60); job.id"
    assert run(shell, cell) != run(shell, cell)


def test_in_jupyter_each_run_is_a_new_job_by_default(shell: InteractiveShell, studio: Studio) -> None:
    cell = "kn.generate('a paper boat', duration=3).id"
    assert studio.options.reuse == "auto"
    assert run(shell, cell) != run(shell, cell)
    studio.options.reuse = True
    studio.options.reuse = "auto"
    assert run(shell, cell) != run(shell, cell)
    with pytest.raises(SettingsError):
        studio.options.reuse = "sometimes"
