"""The key and the signatures of URLs are in no record, log line, traceback, image or output."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubside import FalSide, HubSide, png_image

from kling_nb import errors
from kling_nb.studio import Studio

KEY, FAL_KEY = "oxk-PLANTED-7d41c0ffee", "fal-PLANTED-id:PLANTED-secret-00c0ffee"
SIGNATURE = "oxen_signature="


@pytest.fixture
def keyed(own_hub: Callable[..., HubSide]) -> HubSide:
    """A hub that accepts the planted key only."""
    return own_hub("--key", KEY)


def everything_written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def shown(studio: Studio) -> str:
    records = studio.log(kind=None)
    parts = [
        repr(studio),
        repr(studio.session.parts),
        repr(studio.session.connection.main),
        repr(vars(studio.session.connection.main)),
        repr(studio.hub()),
    ]
    parts += [str(studio.hub()._repr_mimebundle_()), str(studio.store), repr(studio.session.engine)]
    parts += [f"{record!r} {record.model_dump_json()} {record._repr_mimebundle_()}" for record in records]
    return "\n".join(parts)


@pytest.mark.parametrize(("side", "key"), [(HubSide, KEY), (FalSide, FAL_KEY)], ids=["oxen", "fal"])
def test_no_key_is_written_logged_shown_or_sent_elsewhere(
    own_hub: Callable[..., HubSide],
    side: type[HubSide],
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    pace: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OXEN_API_KEY", KEY)
    monkeypatch.setenv("FAL_KEY", FAL_KEY)
    keyed = own_hub("--key", key, side=side)
    studio = Studio(hub=keyed.address, log=tmp_path / "log")
    told: list[str] = []
    assert studio.generate("@Image1 sails", input_image=[png_image()], duration=3).result(60).path.exists()
    for fault in ("failed", "unauthenticated", "unknown_error", "lost_reply"):
        keyed.fault(fault, times=1, **keyed.SUBMIT)
        job = studio.generate(f"a boat in {fault}", duration=3)
        try:
            job.result(60)
        except errors.KlingError as exc:
            told += [repr(exc), str(exc), *traceback.format_exception(exc), repr(vars(exc))]
    told += [shown(studio), repr(job), repr(job.progress), str(job.card())]
    studio.close()
    written = everything_written(tmp_path / "log")
    for secret in (KEY, FAL_KEY, FAL_KEY.partition(":")[2], SIGNATURE):
        assert secret not in "\n".join(told)
        assert secret not in caplog.text
        assert secret.encode() not in written
    stats = keyed.stats()
    assert (stats["wrong_keys"], stats["other_origin_keys"]) == (0, 0)


def test_a_wrong_key_is_named_by_its_source_only(keyed: HubSide, studio_at: Callable[..., Studio]) -> None:
    studio = studio_at(keyed, key="oxk-WRONG-1234")
    with pytest.raises(errors.JobFailed, match=r"kn\.hub\(\) shows where") as caught:
        studio.generate("a boat", duration=3).result(60)
    assert "WRONG" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("key", ["oxk-PLANTED\nX-Evil: 1", "oxk-PLANTED-ключ", "oxk PLANTED"])
def test_a_key_with_invalid_characters_is_refused_without_being_shown(key: str, tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match="OXEN_API_KEY") as caught:
        _ = Studio(key=key, log=tmp_path).session.parts
    assert "PLANTED" not in "".join(traceback.format_exception(caught.value))


def test_the_key_goes_to_the_hubs_origin_and_not_to_a_similar_one(keyed: HubSide) -> None:
    from pydantic import SecretStr

    from kling_nb.hubs.client import HubClient, origin_of

    client = HubClient(keyed.url, SecretStr(KEY))
    assert KEY not in repr(client) + repr(vars(client)) + str(client._http.api.headers)
    assert origin_of("https://hub.oxen.ai") == origin_of("https://hub.oxen.ai:443/x")
    assert origin_of("https://hub.oxen.ai.evil.example") != origin_of("https://hub.oxen.ai")
    assert origin_of("http://hub.oxen.ai") != origin_of("https://hub.oxen.ai")
    assert httpx.URL("https://hub.oxen.ai@evil.example").host == "evil.example"


def test_the_repr_of_a_studio_shows_its_log_and_neither_key_nor_address(tmp_path: Path) -> None:
    studio = Studio(key="some-key", hub="https://example.com", log=tmp_path)
    assert repr(studio) == f"Studio(key=…, hub=…, log={str(tmp_path)!r})"
    assert repr(Studio()) == "Studio()"
