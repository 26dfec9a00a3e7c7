"""The sound of an animatic: a soft chord in a key chosen by the seed, and a tick at each cut."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.filter import Graph

RATE = 48_000
_SYNTHESIS_RATE = 4_000  # enough, since nothing is above 1.4 kHz
_CHORDS = ((0, 7, 12, 16), (0, 7, 12, 15), (0, 5, 12, 16), (0, 7, 14, 16), (0, 4, 11, 14))


def frames_of(seed: bytes, seconds: int, cuts: list[float]) -> Iterator[av.AudioFrame]:
    """Yield stereo sound at 48 kHz as frames for the encoder, with ticks at `cuts` in seconds."""
    ticks = "".join(f"+between(t,{cut},{cut}+0.08)*0.1*exp(({cut}-t)*46)*sin(2*PI*1320*(t-{cut}))" for cut in cuts)
    # Other phases make the right side differ from the left.
    sides = "|".join(_chord(seed, shift) + ticks for shift in (0.0, 0.7))
    graph = Graph()
    graph.link_nodes(
        graph.add("aevalsrc", f"exprs={sides}:sample_rate={_SYNTHESIS_RATE}:duration={seconds}".replace(",", r"\,")),
        graph.add("afade", "type=in:duration=0.6"),
        graph.add("afade", f"type=out:start_time={seconds - 1}:duration=1"),
        graph.add("aresample", str(RATE)),
        graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
        graph.add("asetnsamples", "n=1024:pad=0"),
        graph.add("abuffersink"),
    ).configure()
    position = 0
    while True:
        try:
            frame = cast(av.AudioFrame, graph.pull())
        except (EOFError, BlockingIOError):
            return
        frame.pts, frame.time_base = position, Fraction(1, RATE)
        position += frame.samples
        yield frame


def _chord(seed: bytes, shift: float) -> str:
    root = 98.0 * 2 ** (seed[1] % 8 / 12)
    notes = [root * 2 ** (step / 12) for step in _CHORDS[seed[2] % len(_CHORDS)]]
    return "+".join(
        f"{0.058 / (n + 1.6):.5f}*(sin(2*PI*{note:.3f}*t+{shift * (n + 1):.2f})"
        f"+0.31*sin(4*PI*{note:.3f}*t+{shift * (n + 2):.2f}))*(0.75+0.25*sin(PI*{1 + n % 2}*t+{n * 0.9 + shift:.2f}))"
        for n, note in enumerate(notes)
    )
