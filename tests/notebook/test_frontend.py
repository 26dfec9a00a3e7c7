"""Which frontend shows the outputs, told from what each really sets; and what the user may say about embedding."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import (
    COLAB,
    JUPYTER,
    MEGABYTE,
    VOILA,
    VSCODE,
    VSCODE_AT_A_SERVER,
    VSCODE_NOTEBOOK,
    Embed,
    Frontend,
    frontend_of,
    notebook_of,
)

LAB = {"JPY_SESSION_NAME": "/books/a.ipynb", "JPY_PARENT_PID": "17"}


@pytest.mark.parametrize(
    ("environment", "names", "frontend"),
    [
        ({}, (), JUPYTER),
        (LAB, (), JUPYTER),
        ({**LAB, "TERM_PROGRAM": "vscode", "VSCODE_INJECTION": "1"}, (), JUPYTER),  # its terminal ran Lab
        ({"VSCODE_PID": "4711"}, (), VSCODE),
        ({"VSCODE_CWD": "/home/me"}, (), VSCODE),
        ({}, (VSCODE_NOTEBOOK,), VSCODE),
        ({"JPY_SESSION_NAME": "/srv/a-jvsc-12ab-34cd.ipynb"}, (), VSCODE_AT_A_SERVER),
        ({"COLAB_RELEASE_TAG": "release-colab_20261101"}, (), COLAB),
        ({"COLAB_RELEASE_TAG": "release-colab_20261101"}, (VSCODE_NOTEBOOK,), VSCODE_AT_A_SERVER),
        ({"VOILA_REQUEST_URL": "http://127.0.0.1:8866/voila/render/a.ipynb"}, (), VOILA),
    ],
)
def test_a_frontend_is_known_by_what_it_sets(
    environment: dict[str, str], names: tuple[str, ...], frontend: Frontend
) -> None:
    assert frontend_of(environment, names) is frontend


def test_the_notebook_is_what_the_frontend_says() -> None:
    assert notebook_of({}) is None
    assert notebook_of(LAB) == Path("/books/a.ipynb")
    assert notebook_of({"JPY_SESSION_NAME": "c0ffee-uuid"}) is None
    assert notebook_of({}, "/books/b.ipynb") == Path("/books/b.ipynb")
    assert notebook_of({"JPY_SESSION_NAME": "/srv/a b-jvsc-12ab-34cd.ipynb"}) == Path("/srv/a b.ipynb")


@pytest.mark.parametrize("value", ["auto", "never", "always", 5.0, 0.5])
def test_what_is_kept_of_the_option_is_read_as_the_same(value: str | float) -> None:
    assert Embed.parse(value).value == value
    assert Embed.parse(Embed.parse(value).value) == Embed.parse(value)


@pytest.mark.parametrize(
    "value", ["sometimes", "", 0, -1, float("nan"), float("inf"), True, [5], Decimal("NaN"), "5 megabytes"]
)
def test_a_setting_that_cannot_be_read_is_one_clear_error(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"embed is .* give 'auto', 'never', 'always', or the megabytes"):
        Embed.parse(value)


@given(
    sizes=st.lists(st.none() | st.integers(0, 30 * MEGABYTE), max_size=9),
    embed=st.sampled_from(["auto", "never", "always", 0.001, 7]).map(Embed.parse),
    frontend=st.sampled_from([JUPYTER, VSCODE, VSCODE_AT_A_SERVER, COLAB, VOILA]),
)
def test_no_output_embeds_more_than_its_cap_and_none_that_could_be_is_left_out(
    sizes: list[int | None], embed: Embed, frontend: Frontend
) -> None:
    chosen = embed.chosen(sizes, frontend)
    inside = sum(size or 0 for size, yes in zip(sizes, chosen, strict=True) if yes)
    assert inside <= embed.cap * MEGABYTE
    assert embed.wanted(frontend) or not any(chosen)
    for size, yes in zip(sizes, chosen, strict=True):
        assert not (yes and size is None)
        if not yes and size is not None and embed.wanted(frontend):
            assert inside + size > embed.cap * MEGABYTE
