"""What every widget of ours needs."""

from types import SimpleNamespace

from kling_nb.ui.widgets import PanelWidget, RowsWidget, keep_reachable


def test_a_comm_that_re_routes_clicks_to_a_busy_shell_is_put_right():
    comm = SimpleNamespace(_reply_subshell_for=lambda data, default: "the busy one")

    keep_reachable(SimpleNamespace(comm=comm))

    assert comm._reply_subshell_for({}, "the one that was asked") == "the one that was asked"


def test_a_comm_of_another_kernel_is_left_alone():
    comm = SimpleNamespace()

    keep_reachable(SimpleNamespace(comm=comm))

    assert not vars(comm)


def test_the_browser_sides_are_small_enough_to_send_with_every_widget():
    for kind in (PanelWidget, RowsWidget):
        assert len(kind._esm) + len(kind._css) < 200_000
