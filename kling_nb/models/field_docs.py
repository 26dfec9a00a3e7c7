"""A line of help for each field of a request, with its default, range and unit; `kn.generate?` shows them."""

from __future__ import annotations

from collections.abc import Mapping

FIELD_DOCS: Mapping[str, str] = {
    "model": 'ID of the model, `"kling-video-o3-pro-reference-to-video"` by default; `kn.hub.models()` lists them.',
    "hub": 'Provider of this request, `"oxen"` or `"fal"`; the one in use by default, see `kn.hub()`.',
    "prompt": "What the clip shows, up to 2500 characters. `@Image1` and `@Element1` mention references.",
    "multi_prompt": 'Up to 6 shots in place of `prompt`, such as `kn.Shot(prompt="…", duration=3)`: each 1 to 15 s '
    "(5 by default), together 3 to 15 s.",
    "negative_prompt": "What to avoid, up to 2500 characters.",
    "duration": "Length of the clip in whole seconds, 3 to 15; 5 by default. With shots, each has its own.",
    "input_image": "Up to 7 reference images, `@Image1` to `@Image7`, elements included: paths, URLs, bytes, PIL "
    "images, arrays or figures. At least 300 pixels on each side, width 0.4 to 2.5 times the height.",
    "start_image_url": "Image of the first frame.",
    "tail_image_url": "Image of the last frame; needs a start frame.",
    "elements": "Characters or objects, `@Element1` and so on: `kn.Element(frontal_image_url=…)`, each with up to 3 "
    "more views.",
    "input_video": "Clip to edit, or to take motion and style from. Omni only, like the next three.",
    "video_mode": '`"edit"` (the default) or `"reference"`.',
    "resolution": '`"720p"`, `"1080p"` (the default) or `"4k"`.',
    "keep_audio": "Whether the sound of the input video stays; True by default.",
    "aspect_ratio": '`"16:9"` (the default), `"9:16"` or `"1:1"`.',
    "generate_audio": "Whether the model makes sound, which costs more; False by default.",
    "num_generations": "Clips of this request, 1 to 4; 1 by default. Each is paid for.",
    "target_namespace": "Namespace on the hub that is billed; yours by default.",
    "response_format": '`"url"` or `"b64_json"`; None by default, which leaves the choice to the hub.',
}
