"""All widgets: comms and sizes."""

from types import SimpleNamespace

import pytest

from kling_nb.ui.compare import CompareWidget
from kling_nb.ui.gallery.gallery import GalleryWidget
from kling_nb.ui.widgets import PanelWidget, RowsWidget, keep_reachable


def test_messages_are_not_routed_to_a_busy_subshell():
    comm = SimpleNamespace(_reply_subshell_for=lambda data, default: "busy")

    keep_reachable(SimpleNamespace(comm=comm))

    assert comm._reply_subshell_for({}, "requested") == "requested"


def test_a_comm_of_another_kernel_is_unchanged():
    comm = SimpleNamespace()

    keep_reachable(SimpleNamespace(comm=comm))

    assert not vars(comm)


@pytest.mark.parametrize(
    ("widget", "limit"),
    [(PanelWidget, 220_000), (RowsWidget, 200_000), (CompareWidget, 120_000), (GalleryWidget, 120_000)],
)
def test_the_browser_sides_are_small_enough_to_send_with_every_widget(widget, limit):
    assert len(widget._esm) + len(widget._css) < limit
