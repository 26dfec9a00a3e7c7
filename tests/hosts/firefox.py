"""Drives Firefox over WebDriver BiDi, which it speaks by itself: no driver and no package but a websocket."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import websocket
from lab import free_port

#: Seconds that a page may take to do what a test waits for.
PATIENCE = 90
#: A first start without questions, and elements that hear of the focus although a headless window has none.
_SETTINGS = """user_pref("focusmanager.testmode", true);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.normandy.enabled", false);
user_pref("media.autoplay.default", 0);
"""


def firefox() -> str | None:
    """Return Firefox, None if this machine has none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A headless Firefox with one page."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.ask("session.new", capabilities={})
        self._page = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Firefox]:
        """Start Firefox with a profile in `folder`, and stop it at the end."""
        profile = folder / "firefox"
        profile.mkdir()
        (profile / "user.js").write_text(_SETTINGS)
        port = free_port()
        command = [firefox() or "firefox", "--headless", "--no-remote", "--profile", str(profile)]
        with (folder / "firefox.log").open("wb") as output:
            browser = subprocess.Popen(
                [*command, f"--remote-debugging-port={port}", "about:blank"], stdout=output, stderr=subprocess.STDOUT
            )
        try:
            with closing(_connected(f"ws://127.0.0.1:{port}/session")) as socket:
                yield cls(socket)
        finally:
            browser.terminate()
            browser.wait(30)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; raises `RuntimeError` with the error of the browser."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (reply := json.loads(self._socket.recv())).get("id") != number:
            pass  # an event
        if reply["type"] == "error":
            raise RuntimeError(f"{method}: {reply['error']}: {reply['message']}")
        return reply["result"]

    def open(self, url: str) -> None:
        """Go to a page, without waiting for all of it."""
        self.ask("browsingContext.navigate", context=self._page, url=url, wait="none")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the page."""
        self.ask("browsingContext.setViewport", context=self._page, viewport={"width": width, "height": height})

    def run(self, script: str, **names: object) -> Any:
        """Call a JavaScript function with an object of these names, await it, and return its JSON value."""
        call = f"async () => JSON.stringify(await ({script})({json.dumps(names)}) ?? null)"
        said = self.ask(
            "script.callFunction",
            functionDeclaration=call,
            awaitPromise=True,
            userActivation=True,
            target={"context": self._page},
        )
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def until(self, script: str, **names: object) -> Any:
        """Call a function until it returns something true, and return that."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(RuntimeError):  # between two pages there is none to ask
                if found := self.run(script, **names):
                    return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"Firefox: {script} {names}")
            time.sleep(0.1)

    def click(self, selector: str) -> None:
        """Scroll to an element and press the mouse on its middle."""
        box = self.until(
            """({ selector }) => {
                const el = document.querySelector(selector);
                if (!el || el.disabled) return null;
                el.scrollIntoView({ block: 'center' });
                const box = el.getBoundingClientRect();
                return box.width ? [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)] : null;
            }""",
            selector=selector,
        )
        moves = [
            {"type": "pointerMove", "x": box[0], "y": box[1]},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves}
        self.ask("input.performActions", context=self._page, actions=[mouse])

    def write(self, text: str) -> None:
        """Type into the focused element."""
        keys = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": keys}
        self.ask("input.performActions", context=self._page, actions=[keyboard])

    def screenshot(self, file: Path) -> None:
        """Save the visible part of the page as PNG."""
        shot = self.ask("browsingContext.captureScreenshot", context=self._page)
        file.write_bytes(base64.b64decode(shot["data"]))


def _connected(url: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return websocket.create_connection(url, timeout=PATIENCE, suppress_origin=True)
        except (OSError, websocket.WebSocketException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
