"""Makers of video files of any length, size and rate in milliseconds: one frame is encoded, and repeated."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image


def video_file(
    path: Path,
    seconds: float = 4,
    size: tuple[int, int] = (1280, 720),
    fps: Fraction | int = 24,
    *,
    image: Image.Image | None = None,
    codec: str = "mpeg4",
    turned: int = 0,
    times: Iterable[int] | None = None,
    transfer: int = 1,
) -> Path:
    """Write a video.

    Args:
        image: Its only image; grey without it.
        turned: The degrees, clockwise, by which players turn it.
        transfer: FFmpeg's number of the transfer function: 16 for HDR.
        times: When each frame is shown, in units of a frame, instead of one after the other.
    """
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.color_trc = transfer
        frame = av.VideoFrame.from_image((image or Image.new("RGB", size, "grey")).resize(size))
        frame.pts, frame.time_base = 0, 1 / Fraction(fps)
        (first, *_) = [*stream.encode(frame), *stream.encode(None)]
        for number in times if times is not None else range(round(seconds * fps)):
            packet = av.Packet(bytes(first))
            packet.stream, packet.time_base, packet.is_keyframe = stream, 1 / Fraction(fps), True
            packet.pts = packet.dts = number
            packet.duration = 1
            out.mux(packet)
    if turned:
        data = path.read_bytes()
        at = data.index(b"tkhd") + 4 + 40
        cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turned]
        one = 0x10000
        matrix = struct.pack(">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 0x40000000)
        path.write_bytes(data[:at] + matrix + data[at + 36 :])
    return path
