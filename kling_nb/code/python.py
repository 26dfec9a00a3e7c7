"""A request body as a Python script, with `requests` or `httpx`."""

from __future__ import annotations

from string import Template
from typing import Any, Literal

from kling_nb.code.choices import Flow
from kling_nb.code.literal import Code, literal, quoted
from kling_nb.code.shell import Local, mapped

Library = Literal["requests", "httpx"]


def python(body: dict[str, Any], library: Library, flow: Flow, *, hub: str, every: float) -> str:
    """Return a script that sends the body and saves what comes; local pictures are uploaded first."""
    locals_ = False

    def address(value: Local) -> Code:
        nonlocal locals_
        locals_ = True
        return Code(f"address_of({quoted(value.path)})")

    shown = literal(mapped(body, address), 0, 7)
    modules = {"os", *(() if flow == "sync" else ("time",)), *(("contextlib",) if flow == "events" else ())}
    imports = [f"import {name}" for name in sorted(modules)]
    imports += ["from pathlib import Path", *(["from urllib.parse import quote"] if locals_ else [])]
    begin = "\n\n".join(["\n".join(imports), f"import {library}", _HEAD])
    ask = [_SYNC] if flow == "sync" else [_LOOK, {"poll": _POLL, "events": _EVENTS}[flow]]
    parts = [part.strip() for part in (begin, *([_UPLOAD] if locals_ else []), _BODY, _SAVE, *ask)]
    words = _WORDS[library] | {"hub": quoted(hub), "body": shown, "every": f"{every:g}"}
    return Template("\n\n\n".join(parts)).substitute(words) + "\n"


_WORDS = {
    "requests": {
        "lib": "requests",
        "follow": "",
        "stream": 'requests.get(f"{HUB}/api/events", headers=headers, stream=True, timeout=60)',
        "lines": "iter_lines(decode_unicode=True)",
        "dropped": "requests.RequestException",
    },
    "httpx": {
        "lib": "httpx",
        "follow": ", follow_redirects=True",
        "stream": 'httpx.stream("GET", f"{HUB}/api/events", headers=headers, timeout=60)',
        "lines": "iter_lines()",
        "dropped": "httpx.TransportError",
    },
}

_HEAD = """HUB = $hub
headers = {"Authorization": f"Bearer {os.environ['OXEN_API_KEY']}"}
"""

_UPLOAD = """
def address_of(path):
    \"""Put a local file into your private storage on the hub; return an address that is good for an hour.\"""
    user = $lib.get(f"{HUB}/api/users/me", headers=headers, timeout=60).json()["user"]["username"]
    home = f"{HUB}/api/repos/{user}/playground"
    if $lib.get(home, headers=headers, timeout=60).status_code == 404:
        new = {"name": "playground", "namespace": user, "description": "", "visibility": "private", "workbench": True}
        $lib.post(f"{HUB}/api/repos", headers=headers, json=new, timeout=60).raise_for_status()
    with open(path, "rb") as file:
        put = $lib.post(
            f"{home}/workbench/context",
            headers=headers,
            files={"file": file},
            data={"directory": "references"},
            timeout=300,
        )
    put.raise_for_status()
    signed = f"{home}/file/presigned_url/main/{quote(put.json()['asset_path'])}"
    return $lib.get(signed, headers=headers, timeout=60).json()["url"]

"""

_SAVE = """
def save(url, name):
    \"""Download a film; the address answers without the key, or else with it at the hub itself.\"""
    film = $lib.get(url, timeout=300$follow)
    if film.status_code in (401, 403) and url.startswith(f"{HUB}/"):
        film = $lib.get(url, headers=headers, timeout=300$follow)
    film.raise_for_status()
    Path(name).write_bytes(film.content)
    print("saved", name)

"""

_LOOK = """
def is_over(name):
    \"""Look at a generation; save its film when it is there.\"""
    answer = $lib.get(f"{HUB}/api/ai/queue/{name}", headers=headers, timeout=60)
    if answer.status_code == 429 or answer.status_code >= 500:
        return False  # looking again costs nothing
    answer.raise_for_status()
    record = answer.json()
    if record["status"] == "succeeded":
        save(record["result_url"], f"{name}.mp4")
    elif record["status"] in ("failed", "cancelled"):
        print(name, record["status"], record.get("error_message") or "")
    return record["status"] in ("succeeded", "failed", "cancelled")

"""

_BODY = """body = $body
"""

_SENT = """answer = $lib.post(f"{HUB}/api/ai/queue", headers=headers, json=body, timeout=60)
if answer.status_code != 200:
    raise SystemExit(f"{answer.status_code}: {answer.text[:500]}")
waiting = [generation["generation_id"] for generation in answer.json()["generations"]]
print("queued", *waiting)
"""

#: Said once, at the line that spends.
_ONCE = "# Sent once. After an error that leaves it open, look at the queue before sending again: it may be billed.\n"

_WAIT = """while waiting:
    time.sleep($every)
    waiting = [name for name in waiting if not is_over(name)]
"""

_POLL = f"""{_ONCE}{_SENT}
{_WAIT.rstrip()}"""

_LISTEN = """# Listen first: events are not kept for those who come late.
with $stream as events:
    events.raise_for_status()
"""

_HEAR = """
    with contextlib.suppress($dropped):  # a stream that drops: the loop below goes on
        for line in events.$lines:
            # An event of ours, or the keep-alive every 15 s (nothing is said of a cancelled one): the queue knows.
            if line.startswith(":") or any(name in line for name in waiting):
                waiting = [name for name in waiting if not is_over(name)]
            if not waiting:
                break
"""

_INDENTED = "".join(f"    {line}\n" for line in (_ONCE + _SENT).splitlines())
_EVENTS = f"""{_LISTEN}{_INDENTED}{_HEAR}
{_WAIT.rstrip()}"""

_SYNC = f"""{_ONCE}answer = $lib.post(f"{{HUB}}/api/ai/videos/generate", headers=headers, json=body, timeout=1200)
if answer.status_code != 200:
    raise SystemExit(f"{{answer.status_code}}: {{answer.text[:500]}}")
for number, video in enumerate(answer.json()["videos"], 1):
    save(video["url"], f"video-{{number}}.mp4")"""
