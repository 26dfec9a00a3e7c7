"""A log, over SQLite or PostgreSQL, and clips to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from kling_nb.store import Log

SQLITE, POSTGRESQL = "sqlite", "postgresql"
#: Opens the log in a folder: a plain one, or a team's whose cache the folder is.
OpenLog = Callable[[Path], Log]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that sets `DATABASES` once for each of them."""
    if "database" in metafunc.fixturenames and (databases := getattr(metafunc.module, "DATABASES", ())):
        databases = (SQLITE,) if metafunc.definition.get_closest_marker("folder") else databases
        metafunc.parametrize("database", databases, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """The URL of a team's database; None for a folder, the default."""
    return request.getfixturevalue("server").schema() if getattr(request, "param", SQLITE) == POSTGRESQL else None


@pytest.fixture
def opened(tmp_path: Path, database: str | None) -> OpenLog:
    """Open the test's log once more, as another kernel would; the bucket of a team's is a folder."""
    if database is None:
        return Log
    from kling_nb.store.team import TeamLog

    return lambda folder: TeamLog(folder, database, f"file://{tmp_path}/bucket", "ann")


@pytest.fixture
def log(tmp_path: Path, opened: OpenLog) -> Iterator[Log]:
    """An empty log, closed at the end."""
    store = opened(tmp_path / "log")
    yield store
    store.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a real clip of so many frames at 24 a second, 320×180, with a tone when asked."""
    folder = tmp_path_factory.mktemp("film")
    made: dict[tuple[int, bool, bool], bytes] = {}

    def make(name: str = "clip.mp4", *, frames: int = 24, sound: bool = False, faststart: bool = True) -> Path:
        path, kind = folder / name, (frames, sound, faststart)
        if kind not in made:
            encode(path, frames, sound, faststart)
            made[kind] = path.read_bytes()
        path.write_bytes(made[kind])
        return path

    def encode(path: Path, frames: int, sound: bool, faststart: bool) -> None:
        options = {"movflags": "faststart"} if faststart else {}
        with av.open(str(path), "w", options=options) as out:
            picture = out.add_stream("libx264", rate=Fraction(24))
            picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
            tone = out.add_stream("aac", rate=48000) if sound else None
            for number in range(frames):
                image = Image.effect_noise((320, 180), 40).convert("RGB")
                image.paste((number * 9 % 255, 80, 160), (0, 0, 160, 180))
                out.mux(picture.encode(av.VideoFrame.from_image(image)))
            out.mux(picture.encode())
            if tone is not None:
                for start in range(0, frames * 2000, 1024):
                    silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
                    for plane in silence.planes:
                        plane.update(bytes(plane.buffer_size))
                    silence.rate, silence.pts = 48000, start
                    out.mux(tone.encode(silence))
                out.mux(tone.encode())

    return make
