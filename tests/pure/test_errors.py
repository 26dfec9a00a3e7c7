"""What an error shows in a cell."""

from __future__ import annotations

import io

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kling_nb import errors
from kling_nb.models.lint import lint


def test_an_error_in_a_cell_is_a_few_lines_and_not_our_stack(capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell()
    shell.user_ns["kn_error"] = errors.RequestError(lint({"prompt": "a boat", "duration": 2, "aspect_ratio": "4:3"}))
    shell.run_cell("raise kn_error")
    shown = capsys.readouterr()
    text = shown.out + shown.err
    assert "nothing was sent" in text
    assert text.count("✗") == 2
    assert "Traceback" not in text
    assert len(text.splitlines()) <= 4


def test_the_stack_is_still_there_for_who_asks() -> None:
    import traceback

    try:
        raise errors.JobFailed("no luck", job_id="j1")
    except errors.KlingError as exc:
        out = io.StringIO()
        traceback.print_exception(exc, file=out)
    assert "test_errors.py" in out.getvalue()
