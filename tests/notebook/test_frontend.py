"""The frontend, recognized by what it really sets, and the option for embedding."""

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
def test_a_frontend_is_recognized_by_what_it_sets(
    environment: dict[str, str], names: tuple[str, ...], frontend: Frontend
) -> None:
    assert frontend_of(environment, names) is frontend


def test_the_notebook_is_the_one_that_the_frontend_names() -> None:
    assert notebook_of({}) is None
    assert notebook_of(LAB) == Path("/books/a.ipynb")
    assert notebook_of({"JPY_SESSION_NAME": "c0ffee-uuid"}) is None
    assert notebook_of({}, "/books/b.ipynb") == Path("/books/b.ipynb")
    assert notebook_of({"JPY_SESSION_NAME": "/srv/a b-jvsc-12ab-34cd.ipynb"}) == Path("/srv/a b.ipynb")


@pytest.mark.parametrize("value", ["auto", "never", "always", 5.0, 0.5])
def test_a_saved_option_is_read_as_the_same(value: str | float) -> None:
    assert Embed.parse(value).value == value
    assert Embed.parse(Embed.parse(value).value) == Embed.parse(value)


@pytest.mark.parametrize(
    "value", ["sometimes", "", 0, -1, float("nan"), float("inf"), True, [5], Decimal("NaN"), "5 megabytes"]
)
def test_an_invalid_option_is_an_error(value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        Embed.parse(value)
    assert str(caught.value) == (
        f"Invalid value for embed: {value!r}. Use 'auto', 'never', 'always', or the megabytes that one output may "
        "embed (kn.options.embed = 20)."
    )


@given(
    sizes=st.lists(st.none() | st.integers(0, 30 * MEGABYTE), max_size=9),
    embed=st.sampled_from(["auto", "never", "always", 0.001, 7]).map(Embed.parse),
    frontend=st.sampled_from([JUPYTER, VSCODE, VSCODE_AT_A_SERVER, COLAB, VOILA]),
)
def test_an_output_embeds_as_many_clips_as_its_cap_allows(
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
