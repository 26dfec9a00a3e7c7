"""Films as another program reads them: a separate ffmpeg from a wheel, where the package has PyAV's library."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

_VIDEO = re.compile(r"Stream #0:\d.*: Video: (\w+).*?, (\w+)\(.*?, (\d+)x(\d+).*?, ([\d.]+) fps")
_AUDIO = re.compile(r"Stream #0:\d.*: Audio: (\w+).*?, (\d+) Hz, (\w+)")


@dataclass(frozen=True)
class Film:
    """The facts that ffmpeg found when it decoded a file from end to end."""

    video: tuple[str, str]  # codec, pixel format
    size: tuple[int, int]
    fps: float
    frames: int
    audio: tuple[str, int, str] | None  # codec, samples a second, channels
    heard: int  # decoded samples of each channel
    tags: dict[str, str]


def read_film(path: Path) -> Film:
    """Decode every frame and every sample. Raises `CalledProcessError` for a file that is not whole."""
    decoded = _ffmpeg(
        "-xerror", "-i", path, "-map", "0", "-c:v", "rawvideo", "-c:a", "pcm_s16le", "-f", "framecrc", "-"
    )
    packets = [line.split(",") for line in decoded.stdout.splitlines() if not line.startswith("#")]
    lengths = [[int(packet[3]) for packet in packets if packet[0] == stream] for stream in ("0", "1")]
    said = decoded.stderr.partition("Output #0")[0]
    video, audio = _VIDEO.search(said), _AUDIO.search(said)
    assert video, said
    return Film(
        (video[1], video[2]),
        (int(video[3]), int(video[4])),
        float(video[5]),
        len(lengths[0]),
        (audio[1], int(audio[2]), audio[3]) if audio else None,
        sum(lengths[1]),
        tags_of(path),
    )


def tags_of(path: Path) -> dict[str, str]:
    """The metadata of a file."""
    lines = re.split(r"(?<!\\)\n", _ffmpeg("-i", path, "-f", "ffmetadata", "-").stdout)
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL) for name, _, value in pairs}


def _ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True)
