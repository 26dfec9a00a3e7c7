"""Settings come from arguments, the environment, `.env` and the keyring, in that order, each with its source."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from pydantic import SecretStr

import kling_nb
from kling_nb import settings, shared
from kling_nb.engine.pace import HUB_PACE, LOCAL_PACE, Pace
from kling_nb.errors import AuthError, SettingsError
from kling_nb.hubs.upload import UPLOAD_METHODS
from kling_nb.models.urls import is_loopback
from kling_nb.notebook.location import beside_notebook
from kling_nb.settings import REAL_HUB, Settings
from kling_nb.studio import Studio


def read_settings(**given: Any) -> Settings:
    return settings.read_settings(**given, beside=beside_notebook())


class Ring(keyring.backend.KeyringBackend):
    """A real backend that keeps its passwords in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def ring() -> Iterator[Ring]:
    before, mine = keyring.get_keyring(), Ring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def key_of(**given: str) -> tuple[str | None, str | None]:
    settings = read_settings(**given)
    return settings.key and settings.key.get_secret_value(), settings.sources.get("OXEN_API_KEY")


def test_without_anything_the_local_hub_answers_and_the_log_is_beside_the_notebook(tmp_path: Path) -> None:
    settings = read_settings()
    assert (settings.local, settings.key, settings.log, settings.sources) == (True, None, tmp_path / "kling_log", {})


def test_a_key_alone_means_the_real_hub() -> None:
    assert read_settings(key="oxk-1").hub == REAL_HUB


def test_each_source_yields_to_the_one_before(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring.set_password("kling_nb", "OXEN_API_KEY", "oxk-ring")
    assert key_of() == ("oxk-ring", "system keyring")
    (tmp_path / ".env").write_text('OXEN_API_KEY="oxk-dotenv"\nKLING_NB_LOG=there\n')
    assert key_of() == ("oxk-dotenv", ".env file")
    monkeypatch.setenv("OXEN_API_KEY", "oxk-env")
    assert key_of() == ("oxk-env", "environment variable OXEN_API_KEY")
    assert key_of(key="oxk-given") == ("oxk-given", "argument")
    assert read_settings().log == tmp_path / "there"


def test_an_empty_key_says_that_there_is_none(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring.set_password("kling_nb", "OXEN_API_KEY", "oxk-ring")
    (tmp_path / ".env").write_text("OXEN_API_KEY=oxk-dotenv\n")
    monkeypatch.setenv("OXEN_API_KEY", "")
    assert (key_of(), read_settings().local) == ((None, None), True)
    assert key_of(key="oxk-given") == ("oxk-given", "argument")


def test_a_keyring_is_asked_only_when_its_answer_is_needed(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(ring, "get_password", lambda *names: asked.append("asked"))
    assert key_of(key="oxk-given") == ("oxk-given", "argument")
    read_settings(hub="local")
    monkeypatch.setenv("OXEN_API_KEY", "")
    read_settings()
    assert asked == []


@pytest.mark.parametrize("trouble", [keyring.errors.KeyringLocked("locked"), OSError("no bus"), RuntimeError("none")])
def test_a_keyring_that_does_not_answer_is_as_good_as_none(
    ring: Ring, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*names: str) -> str:
        raise trouble

    monkeypatch.setattr(ring, "get_password", locked)
    assert (key_of(), read_settings().local) == ((None, None), True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("OXEN_API_KEY=oxk-PLANTED\n".encode("utf-16"), "UTF-8"),
        (b"# caf\xe9\nOXEN_API_KEY=oxk-PLANTED\n", "UTF-8"),
        (b'# mine\nOXEN_API_KEY="oxk-PLANTED\nKLING_NB_LOG=x\n', "line 2 .*OXEN_API_KEY"),
    ],
)
def test_a_dotenv_whose_key_would_be_overlooked_is_refused(text: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(text)
    with pytest.raises(SettingsError, match=says) as caught:
        read_settings()
    assert "PLANTED" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "text",
    ["\ufeffOXEN_API_KEY=oxk-1\r\n", "export OXEN_API_KEY='oxk-1' # mine\n", "what is this\nOXEN_API_KEY = oxk-1"],
)
def test_a_dotenv_of_any_common_form_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(text, newline="")
    assert key_of() == ("oxk-1", ".env file")


def test_log_and_dotenv_are_beside_the_notebook_wherever_a_cell_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".env").write_text("OXEN_API_KEY=oxk-1\n")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "walk.ipynb"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert key_of() == ("oxk-1", ".env file beside the notebook")
    assert read_settings().log == tmp_path / "kling_log"
    monkeypatch.setenv("KLING_NB_LOG", "films")
    assert read_settings().log == tmp_path / "films"
    assert read_settings(log="films").log == tmp_path / "elsewhere" / "films"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"key": b"oxk-PLANTED"}, "OXEN_API_KEY .*bytes"),
        ({"hub": 5}, "KLING_NB_HUB .*int"),
        ({"log": 5}, "KLING_NB_LOG .*int"),
        ({"log": "~nobody-here/log"}, "KLING_NB_LOG .*must be a folder"),
        ({"log": "a\0b"}, "KLING_NB_LOG .*must be a folder"),
    ],
)
def test_an_unknown_setting_is_refused_by_name(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_settings(**given)
    assert "PLANTED" not in str(caught.value)


def test_a_secret_is_a_key_too() -> None:
    assert read_settings(key=SecretStr("oxk-1")).key == SecretStr("oxk-1")


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_value_is_none(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXEN_API_KEY", empty)
    monkeypatch.setenv("KLING_NB_HUB", empty)
    assert (read_settings().key, read_settings().local) == (None, True)


def test_white_space_around_a_key_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXEN_API_KEY", "oxk-pasted\n")
    assert key_of()[0] == "oxk-pasted"


def test_the_local_hub_can_be_chosen_although_there_is_a_key() -> None:
    assert read_settings(key="oxk-1", hub="Local").local


@pytest.mark.parametrize("hub", ["http://127.0.0.1:8000/", "http://localhost:8000", "https://hub.example"])
def test_a_base_url_is_taken_without_its_last_slash(hub: str) -> None:
    assert read_settings(key="oxk-1", hub=hub).hub == hub.rstrip("/")


@pytest.mark.parametrize(
    ("hub", "name"),
    [
        ("HTTPS://Hub.Example:443/", "https://hub.example"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://[::1]:8000/Deep/Path/", "http://[::1]:8000/Deep/Path"),
        ("https://hub.example:80", "https://hub.example:80"),
    ],
)
def test_one_hub_has_one_name_however_it_is_written(hub: str, name: str) -> None:
    assert read_settings(key="oxk-1", hub=hub).hub == name


@pytest.mark.parametrize(
    ("hub", "says"),
    [
        ("http://hub.example", "must use https"),
        ("http://127.0.0.1.evil.example", "must use https"),
        ("ftp://hub.example", "must be a base URL such as"),
        ("hub.example", "must be a base URL such as"),
        ("https://", "must be a base URL such as"),
        ("https://[::1", "must be a base URL such as"),
        ("https://hub.example:99999", "must be a base URL such as"),
        ("https://hub..example", "must be a base URL such as"),
        ("https://xn--", "must be a base URL such as"),
        (f"https://{'h' * 70}.example", "must be a base URL such as"),
        ("https://hub.\ud800example", "must be a base URL such as"),
        ("https://hub.example:port", "must be a base URL such as"),
        ("https://hub example", "must be a base URL such as"),
        ("https://hub\n.example", "must be a base URL such as"),
        ("htps://user:pass@hub.example?key=oxk-secret", "must be a base URL such as"),
        ("https://user:pass@hub.example", "without credentials"),
        ("https://hub.example?key=1", "without credentials"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_source(hub: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_settings(key="oxk-secret", hub=hub)
    assert "argument" in str(caught.value)
    assert "oxk-secret" not in str(caught.value)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("x.localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - as a name to be judged, nothing is bound
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, near: bool) -> None:
    assert is_loopback(host) == near


def test_neither_settings_nor_a_studio_shows_the_key() -> None:
    studio = Studio(key="oxk-PLANTED")
    assert "PLANTED" not in repr(studio.session.settings) + repr(studio) + str(studio.session.settings.sources)
    assert "PLANTED" not in repr(vars(studio))


def test_making_a_studio_reads_and_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_NB_HUB", "ftp://nonsense")
    Studio(log=tmp_path / "log")
    assert not (tmp_path / "log").exists()


PLANTED = "oxk-PLANTED-7d41c0ffee"


def holds_the_key(value: Any, depth: int = 0) -> bool:
    """Return whether a variable shows the key, itself or in what it contains."""
    if type(value).__module__.startswith("kling_nb."):
        value = [repr(value), getattr(value, "__dict__", {})]
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set) and depth < 6:
        return any(holds_the_key(each, depth + 1) for each in value)
    return PLANTED in repr(value)


def variables_with_the_key(error: BaseException) -> list[str]:
    """Return the variables of our own frames that hold the key, of an error and of its causes."""
    found = [f"{type(error).__name__}" for part in (error.args, vars(error)) if holds_the_key(part)]
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "/kling_nb/" in frame.f_code.co_filename:
            name = frame.f_code.co_name
            found += [f"{name}: {variable}" for variable, value in frame.f_locals.items() if holds_the_key(value)]
    behind = error.__cause__ or error.__context__
    return found + (variables_with_the_key(behind) if behind else [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": PLANTED, "hub": "htp://x"},
        {"key": PLANTED, "hub": "http://hub.example"},
        {"key": PLANTED, "upload": "nowhere"},
        {"key": PLANTED, "deadline": 0},
        {"key": PLANTED, "log": "a\0b"},
        {"key": PLANTED, "log": 5},
        {"key": PLANTED + "\n."},
        {"key": SecretStr(PLANTED + " .")},
        {"key": PLANTED.encode()},
        {"key": [PLANTED]},
        {"api_key": PLANTED},
        {"keys": {"oxen": PLANTED}},
    ],
    ids=lambda wrong: ", ".join(wrong),
)
def test_a_refused_setting_leaves_no_plain_key_in_our_frames(wrong: dict[str, Any]) -> None:
    uses: list[Callable[..., Any]] = [kling_nb.configure]
    if not {"api_key", "keys"} & set(wrong):
        uses.append(Studio)
    if not {"api_key", "keys", "upload", "deadline"} & set(wrong):
        uses.append(read_settings)
    for use in uses:
        with pytest.raises(SettingsError) as refused:
            use(**wrong)
        assert variables_with_the_key(refused.value) == []


@pytest.mark.parametrize(
    "text",
    [
        f"OXEN_API_KEY={PLANTED}\nKLING_NB_HUB=htp://x\n".encode(),
        f'OXEN_API_KEY="{PLANTED}\n'.encode(),
        f"OXEN_API_KEY={PLANTED}\n".encode("utf-16"),
        f"# caf\xe9\nOXEN_API_KEY={PLANTED}\n".encode("latin-1"),
    ],
    ids=["hub", "quotation mark", "UTF-16", "Latin-1"],
)
def test_a_refused_file_leaves_no_plain_key_in_our_frames(tmp_path: Path, text: bytes) -> None:
    before = shared.studio()
    (tmp_path / ".env").write_bytes(text)
    for use in (kling_nb.configure, lambda: Studio().session.parts):
        with pytest.raises(SettingsError) as refused:
            use()
        assert variables_with_the_key(refused.value) == []
    assert shared.studio() is before


@pytest.mark.parametrize("source", ["environment", "keyring"])
def test_a_key_from_elsewhere_is_in_no_frame_either(ring: Ring, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    if source == "keyring":
        ring.set_password("kling_nb", "OXEN_API_KEY", PLANTED)
    else:
        monkeypatch.setenv("OXEN_API_KEY", PLANTED)
    monkeypatch.setenv("KLING_NB_HUB", "http://hub.example")
    with pytest.raises(SettingsError, match="must use https") as refused:
        _ = Studio().session.parts
    assert variables_with_the_key(refused.value) == []


def test_an_error_of_a_hub_leaves_no_plain_key_in_our_frames(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"

        def refuse() -> None:
            for _ in range(2):
                with server.accept()[0] as client:
                    client.recv(10_000)
                    client.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        studio = Studio(key=PLANTED, hub=address, log=tmp_path / "log")
        for ask in (studio.hub.models, lambda: studio.hub.model("m")):
            with pytest.raises(AuthError) as refused:
                ask()
            assert variables_with_the_key(refused.value) == []
        studio.close()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("KLING_NB_HUB", "htp://hub.example"), ("OXEN_API_KEY", "a key"), ("KLING_NB_LOG", "~no-such-user/log")],
)
def test_a_setting_of_the_environment_that_cannot_be_used_is_refused_by_configure(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shared.studio()
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        kling_nb.configure(deadline=60)
    assert shared.studio() is before


@pytest.mark.parametrize("hub", ["htp://hub.example", "hub.example", "https://", "http://[", "file:///etc", 5])
def test_a_hub_that_cannot_be_used_is_refused_immediately(hub: Any) -> None:
    before = shared.studio()
    for use in (kling_nb.configure, Studio):
        with pytest.raises(SettingsError, match="KLING_NB_HUB"):
            use(hub=hub)
    assert shared.studio() is before


@pytest.mark.parametrize(
    ("hub", "pace"),
    [
        ("local", LOCAL_PACE),
        ("http://127.0.0.1:9", HUB_PACE),
        ("http://[::1]:9/x", HUB_PACE),
        ("http://localhost:9", HUB_PACE),
        ("https://hub.example:8443", HUB_PACE),
        (REAL_HUB, HUB_PACE),
    ],
)
def test_only_the_local_hub_that_we_start_is_asked_often_a_loopback_address_may_be_a_tunnel(
    hub: str, pace: Pace, tmp_path: Path
) -> None:
    assert Studio(hub=hub, log=tmp_path / "log").session.connection.selected.pace is pace


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"upload": "data_uri"}, ["'data_uri'", "data-uri"]),
        ({"upload": "elsewhere"}, ["'elsewhere'", "'workbench'", "'repository'", "'data-uri'", "function"]),
        ({"upload": None}, ["None"]),
        ({"upload": ["workbench"]}, ["['workbench']"]),
        ({"deadline": 0}, ["deadline", "got 0"]),
        ({"deadline": -1.0}, ["deadline", "got -1.0"]),
        ({"deadline": float("nan")}, ["deadline", "got nan"]),
        ({"deadline": float("inf")}, ["deadline", "got inf"]),
        ({"deadline": True}, ["deadline", "got True"]),
        ({"deadline": "600"}, ["deadline", "got '600'"]),
        ({"api_key": "x"}, ["'api_key'", "key?"]),
        ({"colour": 1}, ["'colour'", "key, hub, log, "]),
    ],
)
def test_a_setting_that_cannot_be_used_raises_immediately_and_changes_nothing(
    wrong: dict[str, Any], named: list[str]
) -> None:
    before = shared.studio()
    with pytest.raises(SettingsError) as refused:
        kling_nb.configure(**wrong)
    assert [part for part in named if part not in str(refused.value)] == []
    assert shared.studio() is before


def test_every_way_to_upload_and_a_function_are_settings() -> None:
    for way in (*UPLOAD_METHODS, lambda _: "https://example.org/a.png"):
        assert Studio(upload=way, deadline=90).session.upload == way


# --- fal.ai ---


@pytest.mark.parametrize(
    ("environment", "given", "used"),
    [
        ({"FAL_KEY": "a:b"}, {}, ("fal", "https://queue.fal.run", "a:b")),
        ({"FAL_KEY_ID": "a", "FAL_KEY_SECRET": "b"}, {}, ("fal", "https://queue.fal.run", "a:b")),
        ({"FAL_KEY_ID": "a"}, {}, ("oxen", "local", None)),
        ({"FAL_KEY": "a:b", "OXEN_API_KEY": "ox"}, {}, ("oxen", REAL_HUB, "ox")),
        ({"FAL_KEY": "a:b", "OXEN_API_KEY": "ox", "KLING_NB_HUB": "fal"}, {}, ("fal", "https://queue.fal.run", "a:b")),
        ({"FAL_KEY": "a:b", "OXEN_API_KEY": ""}, {}, ("fal", "https://queue.fal.run", "a:b")),
        ({}, {"hub": "fal", "key": "c:d"}, ("fal", "https://queue.fal.run", "c:d")),
        ({"FAL_KEY": "a:b"}, {"key": "ox"}, ("oxen", REAL_HUB, "ox")),
        ({"FAL_KEY": "a:b"}, {"hub": "https://fal.run"}, ("fal", "https://queue.fal.run", "a:b")),
        ({"FAL_KEY": "a:b"}, {"hub": "fal+http://127.0.0.1:9"}, ("fal", "http://127.0.0.1:9", "a:b")),
        ({"FAL_KEY": "a:b"}, {"hub": "https://hub.example"}, ("oxen", "https://hub.example", None)),
        ({"FAL_KEY": "a:b"}, {"hub": "local-fal"}, ("fal", "local-fal", "a:b")),
    ],
)
def test_each_key_goes_to_its_own_provider(
    environment: dict[str, str], given: dict[str, str], used: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(**given)
    key = settings.key and settings.key.get_secret_value()
    assert (settings.provider, settings.hub, key) == used


def test_a_key_is_never_sent_unencrypted_to_a_distant_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "a:PLANTED")
    with pytest.raises(SettingsError, match="unencrypted") as caught:
        read_settings(hub="fal+http://stand-in.example")
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize("value", ["0", "soon", "59", "-1"])
def test_a_lifetime_is_a_number_of_seconds(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_NB_FAL_LIFETIME", value)
    with pytest.raises(SettingsError, match="KLING_NB_FAL_LIFETIME"):
        read_settings()
