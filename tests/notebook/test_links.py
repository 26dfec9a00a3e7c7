"""Links from a cell to the log's media: relative and quoted, and never to a missing file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from support.records import a_record

from kling_nb.errors import SettingsError
from kling_nb.models.frontend import COLAB, JUPYTER, VOILA, VSCODE, VSCODE_AT_A_SERVER, Embed, Frontend
from kling_nb.models.record import File, Reference
from kling_nb.notebook.links import Links
from kling_nb.notebook.location import frontend, notebook_path

DIGEST = "sha256:" + "a" * 64
FILM = b"film" * 500_000  # 2 MB


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "my films & clips #1" / "kling_log"
    (folder / "media" / "aa").mkdir(parents=True)
    (folder / "media" / "aa" / "ü.mp4").write_bytes(FILM)
    return folder


def links(log: Path, beside: Path, embed: Embed | None = None, where: Frontend = JUPYTER) -> Links:
    poster, thumbnail = (lambda data: "poster"), (lambda data: "thumbnail")
    return Links(
        log,
        beside,
        lambda digest: log / "media" / "aa" / "ü.mp4" if digest == DIGEST else None,
        lambda digest: None,
        poster,
        thumbnail,
        embed=lambda: embed or Embed(),
        seen_in=lambda: where,
    )


def of(file: str, **more: Any) -> Any:
    return a_record(clip=File(**{"file": file, "digest": DIGEST, "size": 4, **more}))


def test_a_clip_is_linked_relative_to_the_notebook_and_quoted(log: Path) -> None:
    (film,) = links(log, log.parents[1]).videos([of("media/aa/ü.mp4")])
    assert film.src == film.href is not None
    assert not set(film.src) & set(" &#ü")
    assert unquote(film.src) == "my films & clips #1/kling_log/media/aa/ü.mp4"
    assert (log.parents[1] / unquote(film.src)).exists()
    assert film.hint == ""


def test_a_notebook_in_a_folder_beside_reaches_it_too(log: Path, tmp_path: Path) -> None:
    (film,) = links(log, tmp_path / "notebooks").videos([of("media/aa/ü.mp4")])
    assert unquote(film.src or "").startswith("../my films")


def test_a_missing_file_has_no_link(log: Path, tmp_path: Path) -> None:
    gone = of("media/aa/gone.mp4", digest="sha256:" + "0" * 64)
    missing, nothing = links(log, tmp_path).videos([gone, a_record()])
    assert missing.src is missing.href is None
    assert f"missing: {log / 'media/aa/gone.mp4'}. Restore it" in missing.hint
    assert nothing == (None, None, "")
    assert links(log, tmp_path).poster(gone) is None
    assert links(log, tmp_path).thumbnail(Reference(path="input_image.0", identity="u", given="u")) is None


def test_where_links_lead_nowhere_the_clip_itself_is_in_the_output(log: Path, tmp_path: Path) -> None:
    for where, linked in ((COLAB, False), (VSCODE_AT_A_SERVER, False), (VOILA, True)):
        (film,) = links(log, tmp_path, where=where).videos([of("media/aa/ü.mp4")])
        head, _, body = (film.src or "").partition(",")
        assert head == "data:video/mp4;base64"
        assert base64.b64decode(body) == FILM
        assert (film.href is not None) == linked
        assert film.hint == ""


def test_clips_of_one_output_share_what_may_be_embedded(log: Path, tmp_path: Path) -> None:
    many = links(log, tmp_path, Embed.parse(5), COLAB).videos([of("media/aa/ü.mp4")] * 3)
    assert [bool(film.src) for film in many] == [True, True, False]
    assert many[2].href is None
    assert str(log / "media" / "aa" / "ü.mp4") in many[2].hint
    assert "kn.options.embed = 6" in many[2].hint
    enough = links(log, tmp_path, Embed.parse(6), COLAB).videos([of("media/aa/ü.mp4")] * 3)
    assert all(film.src for film in enough)


def test_over_the_cap_a_link_stays_where_there_can_be_one(log: Path, tmp_path: Path) -> None:
    for where, hint in ((VOILA, "--VoilaConfiguration.file_allowlist"), (JUPYTER, "")):
        (film,) = links(log, tmp_path, Embed.parse(1), where).videos([of("media/aa/ü.mp4")])
        assert film.src == film.href
        assert (film.src or "").endswith(".mp4")
        assert hint in film.hint


def test_never_is_never_and_always_is_everywhere(log: Path, tmp_path: Path) -> None:
    (linked,) = links(log, tmp_path, Embed.parse("never"), VOILA).videos([of("media/aa/ü.mp4")])
    assert (linked.src or "").endswith(".mp4")
    (path,) = links(log, tmp_path, Embed.parse("never"), COLAB).videos([of("media/aa/ü.mp4")])
    assert path.src is None
    assert "kn.options.embed = 'auto'" in path.hint
    (inside,) = links(log, tmp_path, Embed.parse("always"), JUPYTER).videos([of("media/aa/ü.mp4")])
    assert (inside.src or "").startswith("data:")
    assert (inside.href or "").endswith(".mp4"), "a notebook that is not trusted takes the clip out, and keeps the link"


def test_vs_code_plays_aac_silently_and_the_card_says_so(log: Path, tmp_path: Path) -> None:
    shown = links(log, tmp_path, where=VSCODE)
    heard, silent = shown.videos([of("media/aa/ü.mp4", audio_codec="aac"), of("media/aa/ü.mp4", audio_codec="mp3")])
    assert "AAC" in heard.hint
    assert silent.hint == ""


def test_an_option_that_cannot_be_read_does_not_hide_a_paid_clip(log: Path, tmp_path: Path) -> None:
    def unreadable() -> Embed:
        raise SettingsError("embed is 'sometimes'")

    clip = log / "media" / "aa" / "ü.mp4"
    shown = Links(log, tmp_path, lambda _: clip, lambda _: None, str, str, embed=unreadable, seen_in=lambda: JUPYTER)
    assert shown.videos([of("media/aa/ü.mp4")])[0].src


def test_small_pictures_are_embedded(log: Path, tmp_path: Path) -> None:
    found = Links(log, tmp_path, lambda _: None, lambda _: b"jpeg", lambda data: f"<{data!r}>", lambda data: "t")
    assert found.poster(of("x", poster=DIGEST)) == "<b'jpeg'>"


def test_the_notebook_is_the_one_that_the_server_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert notebook_path() is None
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/a b.ipynb")
    assert notebook_path() == Path("/somewhere/a b.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", "c0ffee-uuid")
    assert notebook_path() is None


def test_the_frontend_is_told_from_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frontend() == JUPYTER
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20261101")
    assert frontend() == COLAB
