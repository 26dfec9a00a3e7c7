"""The traceback of an error: in a cell the user's own lines, elsewhere all of it."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import kling_nb
from kling_nb import errors

PACKAGE = str(Path(kling_nb.__file__).parent)


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], str]]:
    """Run a cell and return what it shows."""
    shell = InteractiveShell.instance(colors="nocolor")

    def run(cell: str) -> str:
        shell.run_cell(cell)
        captured = capsys.readouterr()
        return captured.out + captured.err

    yield run
    InteractiveShell.clear_instance()


def test_a_cell_shows_the_users_own_lines_and_the_message_and_no_frame_of_ours(shown: Callable[[str], str]) -> None:
    text = shown(
        "import kling_nb as kn\n"
        "def both(durations):\n"
        "    for duration in durations:\n"
        "        kn.generate('a boat', duration=duration, aspect_ratio='4:3')\n"
        "both([2])"
    )
    assert "----> 5 both([2])" in text
    assert "line 4, in both(durations)" in text
    assert text.count("✗") == 2
    assert PACKAGE not in text


def test_an_invalid_request_lists_its_warnings_after_its_errors(shown: Callable[[str], str]) -> None:
    text = shown("import kling_nb as kn\nkn.generate('@Image3 turns', duration=99, aspect_ratio='2:1')")
    listed = [line.split(":")[0] for line in text.splitlines() if line.startswith("  ")]
    assert listed[-3:] == ["  ✗ duration", "  ✗ aspect_ratio", "  ! prompt"]


def test_a_cause_is_not_shown_in_a_cell(shown: Callable[[str], str]) -> None:
    text = shown(
        "from kling_nb import errors\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError as exc: raise errors.ServerError('no luck', status=502) from exc"
    )
    assert text.rstrip().endswith("ServerError: no luck")
    assert "----> 3" in text
    assert "division by zero" not in text


def test_a_cell_that_is_one_magic_shows_the_message_only(shown: Callable[[str], str]) -> None:
    shown("%load_ext kling_nb")
    text = shown("%%kling duraton=5\nA kite")
    assert text.splitlines()[0] == "RequestError: nothing was sent"
    assert text.count("✗") == 1


def test_outside_a_cell_the_whole_traceback_is_there() -> None:
    out = io.StringIO()
    try:
        raise errors.JobFailed("no luck", job_id="j1")
    except errors.KlingError as exc:
        traceback.print_exception(exc, file=out)
        assert exc._render_traceback_() == ["JobFailed: no luck"], "without IPython there is nothing to format it with"
    assert "test_errors.py" in out.getvalue()


@pytest.mark.parametrize(
    ("error", "builtin"), [(errors.ArgumentError, ValueError), (errors.ArgumentTypeError, TypeError)]
)
def test_errors_about_arguments_are_those_of_python_too(error: type[errors.KlingError], builtin: type) -> None:
    assert issubclass(error, builtin)
