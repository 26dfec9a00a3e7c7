"""A request body as a script: Python with `requests` or `httpx`, or a POSIX shell with cURL and jq."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from textwrap import indent
from typing import Any

from kling_nb.code.literal import Code, Flow, literal, quoted
from kling_nb.models.fields import mapped


@dataclass(frozen=True)
class Local:
    """A local file in a body: the script turns it into a URL when it runs."""

    path: str
    media_type: str


def _mapped(body: dict[str, Any], change: Callable[[Local], str]) -> dict[str, Any]:
    return mapped(body, lambda _, item: change(item) if isinstance(item, Local) else item)


def python(library: str, body: dict[str, Any], flow: Flow, *, hub: str, every: float) -> str:
    """Return a Python script that uploads local images, sends the body and saves the clips."""
    addressed = _mapped(body, lambda file: Code(f"address_of({quoted(file.path)})"))
    files = addressed != body
    modules = ["os", *(["time"] if flow != "sync" else []), *(["contextlib"] if flow == "events" else [])]
    imports = [f"import {name}" for name in sorted(modules)]
    imports += ["from pathlib import Path", *(["from urllib.parse import quote"] if files else [])]
    head = "\n".join([*imports, "", "import $lib", _HEAD])
    send = {"sync": [_SYNC], "poll": [_FINISHED, _QUEUE + _WAIT], "events": [_FINISHED, _EVENTS + _WAIT]}[flow]
    parts = [head, *([_UPLOAD] if files else []), "body = $body", _SAVE, *send]
    words = _LIBRARIES[library] | {
        "lib": library,
        "hub": quoted(hub),
        "body": literal(addressed, 0, 7),
        "every": f"{every:g}",
    }
    return Template("\n\n\n".join(part.strip("\n") for part in parts)).substitute(words) + "\n"


_LIBRARIES = {
    "requests": {
        "follow": "",
        "stream": 'requests.get(f"{HUB}/api/events", headers=headers, stream=True, timeout=60)',
        "lines": "iter_lines(decode_unicode=True)",
        "dropped": "requests.RequestException",
    },
    "httpx": {
        "follow": ", follow_redirects=True",
        "stream": 'httpx.stream("GET", f"{HUB}/api/events", headers=headers, timeout=60)',
        "lines": "iter_lines()",
        "dropped": "httpx.TransportError",
    },
}

_HEAD = """
HUB = $hub
headers = {"Authorization": f"Bearer {os.environ['OXEN_API_KEY']}"}
"""

_UPLOAD = """
def address_of(path):
    \"""Upload a file to your private storage on the hub; return a URL that is valid for an hour.\"""
    user = $lib.get(f"{HUB}/api/users/me", headers=headers, timeout=60).json()["user"]["username"]
    repository = f"{HUB}/api/repos/{user}/playground"
    if $lib.get(repository, headers=headers, timeout=60).status_code == 404:
        new = {"name": "playground", "namespace": user, "description": "", "visibility": "private", "workbench": True}
        $lib.post(f"{HUB}/api/repos", headers=headers, json=new, timeout=60).raise_for_status()
    with open(path, "rb") as file:
        upload = $lib.post(
            f"{repository}/workbench/context",
            headers=headers,
            files={"file": file},
            data={"directory": "references"},
            timeout=300,
        )
    upload.raise_for_status()
    signed = f"{repository}/file/presigned_url/main/{quote(upload.json()['asset_path'])}"
    return $lib.get(signed, headers=headers, timeout=60).json()["url"]
"""

_SAVE = """
def save(url, name):
    \"""Download a clip: without the key, or with it if the hub itself asks for it.\"""
    video = $lib.get(url, timeout=300$follow)
    if video.status_code in (401, 403) and url.startswith(f"{HUB}/"):
        video = $lib.get(url, headers=headers, timeout=300$follow)
    video.raise_for_status()
    Path(name).write_bytes(video.content)
    print("saved", name)
"""

_FINISHED = """
def finished(name):
    \"""Poll a generation; save its clip when it is ready.\"""
    answer = $lib.get(f"{HUB}/api/ai/queue/{name}", headers=headers, timeout=60)
    if answer.status_code == 429 or answer.status_code >= 500:
        return False  # polling again costs nothing
    answer.raise_for_status()
    record = answer.json()
    if record["status"] == "succeeded":
        save(record["result_url"], f"{name}.mp4")
    elif record["status"] in ("failed", "cancelled"):
        print(name, record["status"], record.get("error_message") or "")
    return record["status"] in ("succeeded", "failed", "cancelled")
"""

#: A comment at the line that spends.
_ONCE = "# Sent once. If no answer arrives, the job may still run and be billed: check before you send it again.\n"

_QUEUE = f"""{_ONCE}answer = $lib.post(f"{{HUB}}/api/ai/queue", headers=headers, json=body, timeout=60)
if answer.status_code != 200:
    raise SystemExit(f"{{answer.status_code}}: {{answer.text[:500]}}")
waiting = [generation["generation_id"] for generation in answer.json()["generations"]]
print("queued", *waiting)
"""

_WAIT = """
while waiting:
    time.sleep($every)
    waiting = [name for name in waiting if not finished(name)]
"""

_EVENTS = f"""# Listen before sending: the hub does not repeat events.
with $stream as events:
    events.raise_for_status()
{indent(_QUEUE, "    ")}
    with contextlib.suppress($dropped):  # if the stream ends early, the loop below goes on
        for line in events.$lines:
            # Poll after an event of ours, and at each keep-alive (15 s): a cancelled job sends no event.
            if line.startswith(":") or any(name in line for name in waiting):
                waiting = [name for name in waiting if not finished(name)]
            if not waiting:
                break
"""

_SYNC = f"""{_ONCE}answer = $lib.post(f"{{HUB}}/api/ai/videos/generate", headers=headers, json=body, timeout=1200)
if answer.status_code != 200:
    raise SystemExit(f"{{answer.status_code}}: {{answer.text[:500]}}")
for number, video in enumerate(answer.json()["videos"], 1):
    save(video["url"], f"video-{{number}}.mp4")
"""


def shell(body: dict[str, Any], flow: Flow, *, hub: str, every: float) -> str:
    """Return a shell script that sends the body and saves the clips; local images are sent as data URIs."""
    files: list[Local] = []

    def mark(file: Local) -> str:
        files.append(file)
        return f"\ud800{len(files) - 1}\ud800"  # half a character, which no request contains

    def data_uri(found: re.Match[str]) -> str:
        file = files[int(found[1])]
        return f"'$(data_uri {shlex.quote(file.path)} {shlex.quote(file.media_type)})'"

    text = json.dumps(_mapped(body, mark), indent=2, ensure_ascii=False)
    document = re.sub("\ud800([0-9]+)\ud800", data_uri, shlex.quote(text))
    # The data URIs of images are too long for an argument.
    pipe, data = (f"printf '%s' {document} | ", "@-") if files else ("", document)
    path, answer = ("videos/generate", "answer.json") if flow == "sync" else ("queue", "queued.json")
    post = f"""{_ONCE}{pipe}curl -sS -X POST "$HUB/api/ai/{path}" \\
  -H "Authorization: Bearer $OXEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d {data} > {answer}
"""
    names = " ".join(dict.fromkeys(shlex.quote(file.path) for file in files))
    parts = [
        f"set -eu\nHUB={shlex.quote(hub)}\n{_NEEDS}",
        _READABLE.replace("FILES", names) if files else "",
        _SHELL_SAVE,
    ]
    finish = _FINISH.replace("EVERY", f"{every:g}")
    parts += {"sync": [post + _CLIP], "poll": [finish, post + _POLL], "events": [finish, _LISTEN, post + _HEARD]}[flow]
    return "\n".join(filter(None, parts))


_NEEDS = "command -v jq > /dev/null || { echo 'This script needs jq.' >&2; exit 1; }\n"

_READABLE = """for file in FILES; do [ -r "$file" ] || { echo "Cannot read $file" >&2; exit 1; }; done
data_uri() { printf 'data:%s;base64,' "$2"; base64 < "$1" | tr -d '\\n'; }
"""

_SHELL_SAVE = """# Download a clip: without the key, or with it if the hub itself asks for it.
save() {
  curl -sSfL -o "$2" "$1" || case "$1" in
    "$HUB"/*) curl -sSf -o "$2" "$1" -H "Authorization: Bearer $OXEN_API_KEY" ;;
    *) return 1 ;;
  esac
  echo "saved $2"
}
"""

_FINISH = """# Poll a generation until it ends, and save its clip.
finish() {
  while :; do
    curl -sS "$HUB/api/ai/queue/$1" -H "Authorization: Bearer $OXEN_API_KEY" > "$1.json" || : # polling again is free
    case $(jq -r .status "$1.json" 2> /dev/null) in
      succeeded) save "$(jq -r .result_url "$1.json")" "$1.mp4"; return ;;
      failed | cancelled) cat "$1.json" >&2; return ;;
    esac
    sleep EVERY
  done
}
"""

_IDS = """ids=$(jq -er '.generations[].generation_id' queued.json) && [ -n "$ids" ] || { cat queued.json >&2; exit 1; }
echo "queued" $ids

"""

_POLL = f"""{_IDS}for id in $ids; do finish "$id"; done
"""

_LISTEN = """# Listen before sending: the hub does not repeat events.
: > events.txt
: > headers.txt
curl -sSN "$HUB/api/events" -D headers.txt -H "Authorization: Bearer $OXEN_API_KEY" > events.txt &
listening=$!
trap 'kill $listening 2> /dev/null || :' EXIT
until [ -s headers.txt ] || ! kill -0 $listening; do sleep 0.1; done
"""

_HEARD = f"""{_IDS}# A cancelled job sends no event, and a stream may end early: after 15 minutes, poll anyway.
for id in $ids; do
  seconds=0
  until grep -q "$id" events.txt || ! kill -0 $listening || [ $seconds -ge 900 ]; do
    sleep 1
    seconds=$((seconds + 1))
  done
  finish "$id"
done
"""

_CLIP = """url=$(jq -er '.videos[0].url' answer.json) && [ -n "$url" ] || { cat answer.json >&2; exit 1; }
save "$url" video-1.mp4
"""
