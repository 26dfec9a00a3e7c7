"""axe-core on a part of a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe


def faults(page, selector):
    """The serious and critical faults within what a selector finds; it must have looked at something."""
    found = Axe().run(page, context=selector).response
    assert found["passes"]
    return [
        (fault["id"], fault["impact"], [node["html"][:160] for node in fault["nodes"]][:5])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
