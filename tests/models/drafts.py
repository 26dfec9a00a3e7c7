"""Strategies for drafts: sound, half finished, wrong, or garbage."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kling_nb.models.asset import Asset
from kling_nb.models.prompts import is_blank

FACE = "https://example.org/face.png"
SIDE = "https://example.org/side.png"

urls = st.integers(0, 99).map(lambda number: f"https://example.org/{number}.png")
prompts = st.sampled_from(["", "  ", "a cat", "@Image1 turns", "@Element1 and @Image2", "x" * 513, "x" * 2501])
odd = st.none() | st.booleans() | st.integers(-3, 20) | st.floats() | st.text(max_size=5)


def visible(text: str) -> bool:
    """Return whether a text has a visible character."""
    return not is_blank(text)


def visible_texts(max_size: int) -> st.SearchStrategy[str]:
    """Return a strategy for prompts that are not refused."""
    return st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=max_size).filter(visible)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for a sensible value nine times out of ten, else an odd one."""
    return st.integers(0, 9).flatmap(lambda dice: good if dice else odd)


shots = st.fixed_dictionaries({}, optional={"prompt": mostly(prompts), "duration": mostly(st.integers(0, 16))})
elements = st.fixed_dictionaries(
    {}, optional={"frontal_image_url": mostly(urls), "reference_image_urls": mostly(st.lists(urls, max_size=4))}
)
#: Drafts of a reference-to-video request, valid or not.
drafts = st.fixed_dictionaries(
    {},
    optional={
        "prompt": mostly(prompts),
        "multi_prompt": mostly(st.lists(mostly(shots), max_size=7)),
        "duration": mostly(st.integers(2, 16)),
        "input_image": mostly(st.lists(mostly(urls), max_size=8)),
        "start_image_url": mostly(urls),
        "tail_image_url": mostly(urls),
        "elements": mostly(st.lists(mostly(elements), max_size=4)),
        "negative_prompt": mostly(prompts),
        "aspect_ratio": mostly(st.sampled_from(["16:9", "9:16", "1:1", "4:3"])),
        "generate_audio": mostly(st.booleans()),
        "num_generations": mostly(st.integers(0, 5)),
    },
)

#: Fields of a valid request.
sound = st.fixed_dictionaries(
    {"prompt": visible_texts(40)},
    optional={
        "duration": st.integers(3, 15),
        "input_image": st.lists(urls, max_size=3),
        "start_image_url": urls,
        "elements": st.lists(
            st.fixed_dictionaries(
                {"frontal_image_url": urls}, optional={"reference_image_urls": st.lists(urls, max_size=3)}
            ),
            max_size=4,
        ),
        "negative_prompt": st.sampled_from(["", "blur"]),
        "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1"]),
        "generate_audio": st.booleans(),
    },
)

_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(st.characters(), max_size=8)  # lone surrogates and NUL too
    | st.sampled_from(["~nobody-here/x.png", "http://[", "data:,", "https://", "ftp://x/y", "a\0b", FACE])
    | st.just(Asset.from_url(FACE))
    | st.just(Asset.from_bytes(b"no picture"))
)
junk = st.recursive(
    _values, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
FIELDS = [
    "model",
    "prompt",
    "multi_prompt",
    "duration",
    "input_image",
    "start_image_url",
    "tail_image_url",
    "elements",
    "negative_prompt",
    "aspect_ratio",
    "generate_audio",
    "num_generations",
    "response_format",
    "target_namespace",
    "input_video",
    "video_mode",
    "resolution",
    "keep_audio",
    "frontal_image_url",
    "image",
    "video",
    "seed",
]
MODELS = ["kling-video-o3-pro-reference-to-video", "kling-video-o3-omni", "kling-video-o1-reference-to-video"]
#: Any value that JSON, a form or a typing error can bring, under known and unknown names.
garbage = st.builds(
    lambda fields, model: {**fields, **model},
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), junk, max_size=5),
    st.just({}) | st.sampled_from(MODELS).map(lambda model: {"model": model}),
)
