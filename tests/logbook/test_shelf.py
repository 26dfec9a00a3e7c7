"""Small values: uploads and kept drafts."""

from __future__ import annotations

import pytest

from kling_nb.errors import LogError
from kling_nb.logbook import Log


def test_an_upload_is_remembered_without_its_signature(log: Log) -> None:
    assert log.upload_of("https://hub.example", "sha256:a") is None
    address = {"url": "https://hub.example/f.png?sig=secret", "namespace": "me", "size": 3}
    log.remember_upload("https://hub.example", "sha256:a", address)
    kept = {"url": "https://hub.example/f.png", "namespace": "me", "size": 3}
    assert log.upload_of("https://hub.example", "sha256:a") == kept
    assert log.upload_of("https://other.example", "sha256:a") is None
    assert b"secret" not in b"".join(path.read_bytes() for path in log.folder.glob("index.sqlite*"))
    log.forget_upload("https://hub.example", "sha256:a")
    assert log.upload_of("https://hub.example", "sha256:a") is None


def test_kept_values_are_replaced_listed_and_dropped(log: Log) -> None:
    log.keep("draft", "b", {"prompt": "é"})
    log.keep("draft", "a", None)
    log.keep("draft", "b", [1, 2.5])
    log.keep("preset", "c", 1)
    assert log.kept("draft", "b") == [1, 2.5]
    assert log.kept_names("draft") == ["a", "b"]
    log.drop("draft", "b")
    log.drop("draft", "b")
    assert log.kept("draft", "b") is None


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_what_is_no_json_is_refused(log: Log, value: object) -> None:
    with pytest.raises(LogError, match="cannot be kept"):
        log.keep("draft", "x", value)
