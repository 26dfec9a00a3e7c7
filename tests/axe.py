"""axe-core for a part of a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe


def violations(page, selector):
    """Return the serious and critical violations in the elements of a selector; fails if nothing was checked."""
    found = Axe().run(page, context=selector).response
    assert found["passes"]
    return [
        (each["id"], each["impact"], [node["html"][:160] for node in each["nodes"]][:5])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
