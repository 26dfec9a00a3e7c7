"""Requests of every kind, for the tests that write them as code and read them back."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kling_nb.models.request import OMNI
from tests.models.drafts import FACE, SIDE, urls, visible_texts

texts = visible_texts(60)
#: Texts that shells, templates and quotes easily break.
hard = st.sampled_from([
    "it's \"round\" $HOME `ls` $(rm -rf) \\ \\n @BODY@ ${x} $$ %s {y} #no",
    "JSON\nEOF\n'''\n\"\"\"",
    "curl -d '{}' https://example.org/api/ai/queue\\",
    "^ a caret ^",
    "local-file0. \u2028 \u2029 \t\r\n 猫 \U0001f431",
])  # fmt: skip
prompts = texts | hard

_delivery = {"num_generations": st.integers(1, 4)}
_images = {"input_image": st.lists(urls, max_size=3), "start_image_url": urls}
_settings = {
    "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1"]),
    "generate_audio": st.booleans(),
    "elements": st.lists(
        st.fixed_dictionaries(
            {"frontal_image_url": urls}, optional={"reference_image_urls": st.lists(urls, max_size=3)}
        ),
        max_size=4,
    ),
}
single = st.fixed_dictionaries(
    {"prompt": prompts},
    optional={"duration": st.integers(3, 15), "negative_prompt": prompts, **_images, **_settings, **_delivery},
)
many = st.fixed_dictionaries(
    {
        "multi_prompt": st.lists(
            st.fixed_dictionaries({"prompt": prompts, "duration": st.integers(3, 5)}), min_size=1, max_size=3
        )
    },
    optional={**_images, **_settings, **_delivery},
)
omni = st.fixed_dictionaries(
    {"model": st.just(OMNI), "prompt": prompts},
    optional={"resolution": st.sampled_from(["720p", "4k"]), "keep_audio": st.booleans(), "input_video": urls},
)
other = st.fixed_dictionaries(
    {"model": st.sampled_from(["kling-video-o1", "flux"]), "prompt": prompts},
    optional={"steps": st.integers(0, 9), "cfg scale": st.floats(0, 1), "class": prompts, "image_url": urls},
)
bodies: st.SearchStrategy[dict[str, Any]] = single | many | omni | other

__all__ = ["FACE", "SIDE", "bodies", "prompts", "single"]
