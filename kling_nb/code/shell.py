"""A request body as a shell script around cURL."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from kling_nb.code.choices import Flow


@dataclass(frozen=True)
class Local:
    """A local file in a body, which code turns into an address when it runs."""

    path: str
    media_type: str


def mapped(value: Any, change: Callable[[Local], Any]) -> Any:
    """Return the body with every local file changed."""
    match value:
        case Local():
            return change(value)
        case Mapping():
            return {key: mapped(item, change) for key, item in cast(Mapping[str, Any], value).items()}
        case list():
            return [mapped(item, change) for item in value]
        case _:
            return value


def shell(body: dict[str, Any], flow: Flow, *, hub: str, every: float) -> str:
    """Return a POSIX shell script with cURL; local pictures go along as data URIs."""
    document, files = _document(body)
    send, end = {"sync": (_SYNC, _FILM), "poll": (_SEND, _POLL), "events": (_LISTEN + _SEND, _HEARD)}[flow]
    parts = [f"set -eu\nHUB={shlex.quote(hub)}\n", *_reading(files), send, _FIELD, _SAVE]
    parts += [end] if flow == "sync" else [_FINISH, _IDS + end]
    script = "\n".join(parts).replace("@EVERY@", f"{every:g}").replace("@MARK@", "JSON" if files else "'JSON'")
    return script.replace("@BODY@", document)  # last: a prompt may look like a mark too


def _document(body: dict[str, Any]) -> tuple[str, list[Local]]:
    """Return the body as the text of a here-document; with files in it, the shell expands them (and only them)."""
    files: list[Local] = []
    mark = "local-file"
    while mark in json.dumps(mapped(body, lambda file: ""), ensure_ascii=False):
        mark += "-"

    def marked(file: Local) -> str:
        files.append(file)
        return f"{mark}{len(files) - 1}."

    text = json.dumps(mapped(body, marked), indent=2, ensure_ascii=False)
    if not files:
        return text, files
    escaped = re.sub(r"[\\$`]", r"\\\g<0>", text)
    return re.sub(rf"{mark}(\d+)\.", lambda found: _expanded(files[int(found[1])]), escaped), files


def _expanded(file: Local) -> str:
    return f"$(data_uri {shlex.quote(file.path)} {shlex.quote(file.media_type)})"


def _reading(files: list[Local]) -> list[str]:
    """Return what reads local files; one that is missing ends the script, since an empty picture would be paid for."""
    if not files:
        return []
    names = " ".join(dict.fromkeys(shlex.quote(file.path) for file in files))
    return [f'for file in {names}; do [ -r "$file" ] || {{ echo "there is no $file" >&2; exit 1; }}; done', _DATA_URI]


_DATA_URI = """data_uri() { printf 'data:%s;base64,' "$2"; base64 < "$1" | tr -d '\\n'; }
"""

_FIELD = r"""# every value of a JSON field, one a line
field() { grep -o "\"$1\" *: *\"[^\"]*\"" | cut -d '"' -f 4 | sed 's/\\u0026/\&/g; s/\\\//\//g'; }
"""

_SAVE = """# the address answers without the key, or else with it at the hub itself
save() {
  curl -sSfL -o "$2" "$1" || case "$1" in
    "$HUB"/*) curl -sSf -o "$2" "$1" -H "Authorization: Bearer $OXEN_API_KEY" ;;
    *) return 1 ;;
  esac
  echo "saved $2"
}
"""

_FINISH = """# look at a generation until it is over, and save its film
finish() {
  while :; do
    curl -sS "$HUB/api/ai/queue/$1" -H "Authorization: Bearer $OXEN_API_KEY" > "$1.json" || : # looking again is free
    case $(field status < "$1.json" | head -n 1) in
      succeeded) save "$(field result_url < "$1.json")" "$1.mp4"; return ;;
      failed | cancelled) cat "$1.json" >&2; return ;;
    esac
    sleep @EVERY@
  done
}
"""

_SEND = """# Sent once. After an error that leaves it open, look at the queue before sending again: it may be billed.
curl -sS -X POST "$HUB/api/ai/queue" \\
  -H "Authorization: Bearer $OXEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d @- > queued.json <<@MARK@
@BODY@
JSON
"""

_IDS = """ids=$(field generation_id < queued.json)
[ -n "$ids" ] || { cat queued.json >&2; exit 1; }
echo "queued" $ids
"""

_POLL = """
for id in $ids; do finish "$id"; done
"""

_LISTEN = """# Listen first: events are not kept for those who come late.
: > events.txt
: > headers.txt
curl -sSN "$HUB/api/events" -D headers.txt -H "Authorization: Bearer $OXEN_API_KEY" > events.txt &
listening=$!
trap 'kill $listening 2> /dev/null || :' EXIT
until [ -s headers.txt ] || ! kill -0 $listening; do sleep 0.1; done

"""

_HEARD = """
# Nothing is said of a cancelled one, and a stream may drop: after 15 minutes the queue is asked anyway.
for id in $ids; do
  beats=0
  until grep -q "$id" events.txt || ! kill -0 $listening || [ $beats -ge 900 ]; do sleep 1; beats=$((beats + 1)); done
  finish "$id"
done
"""

_SYNC = """# Sent once. After an error that leaves it open, it may be billed: do not send it again blindly.
curl -sS -X POST "$HUB/api/ai/videos/generate" --max-time 1200 \\
  -H "Authorization: Bearer $OXEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d @- > answer.json <<@MARK@
@BODY@
JSON
"""

_FILM = """url=$(field url < answer.json | head -n 1)
[ -n "$url" ] || { cat answer.json >&2; exit 1; }
save "$url" video-1.mp4
"""
