"""The hash of a request is the same on every machine, in any order, and from any kind of file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.images import image_file

from kling_nb.models.canonical import canonical_json, canonical_request, request_hash
from kling_nb.models.lint import parse
from kling_nb.models.request import HubRequest, Omni, ReferenceToVideo, Request, request_type

from .drafts import FACE, SIDE, sound

quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(fields: dict[str, Any]) -> Request:
    return ReferenceToVideo.model_validate(fields)


@quick
@given(sound, st.randoms())
def test_the_order_of_the_fields_does_not_matter(fields: dict[str, Any], random: Any) -> None:
    names = list(fields)
    random.shuffle(names)
    assert request_hash(made({name: fields[name] for name in names})) == request_hash(made(fields))


@quick
@given(sound, st.integers(1, 4), st.sampled_from(["url", "b64_json", None]), st.sampled_from(["team", None]))
def test_the_delivery_does_not_matter(fields: dict[str, Any], count: int, form: Any, team: Any) -> None:
    delivered = {**fields, "num_generations": count, "response_format": form, "target_namespace": team}
    assert request_hash(made(delivered)) == request_hash(made(fields))


@quick
@given(sound, sound)
def test_two_requests_share_a_hash_if_and_only_if_they_are_the_same(one: dict[str, Any], two: dict[str, Any]) -> None:
    same = canonical_request(made(one)) == canonical_request(made(two))
    assert (request_hash(made(one)) == request_hash(made(two))) is same


@quick
@given(sound, st.sampled_from(["kling-video-o3-pro-reference-to-video", "kling-video-o3-omni", "other"]))
def test_a_body_can_be_parsed_to_the_same_request(fields: dict[str, Any], model: str) -> None:
    if model.endswith("omni"):
        fields.pop("negative_prompt", None)
    request = request_type(model).model_validate({**fields, "model": model})
    parsed = parse(request.body(lambda asset: asset.identity))
    assert parsed.errors == []
    assert type(parsed.request) is type(request)
    assert parsed.request is not None and request_hash(parsed.request) == request_hash(request)


def test_a_path_and_its_bytes_are_the_same_request(tmp_path: Path) -> None:
    file = tmp_path / "any name.png"
    file.write_bytes(image_file())
    hashes = {request_hash(made({"prompt": "@Image1", "input_image": [it]})) for it in (file, str(file), image_file())}
    assert len(hashes) == 1


def test_explicit_defaults_are_the_same_request() -> None:
    defaults = {"duration": 5, "aspect_ratio": "16:9", "generate_audio": False, "input_image": [], "multi_prompt": []}
    assert request_hash(made({"prompt": "a", **defaults})) == request_hash(made({"prompt": "a"}))


def test_the_hash_is_the_same_on_every_machine() -> None:
    """Golden hashes: records refer to requests by them, so that a change would orphan every older record."""
    data = b"not decoded, only hashed"
    full = ReferenceToVideo(
        prompt="@Image1 winkt – 你好",
        duration=7,
        input_image=[FACE, data],
        start_image_url=f"{SIDE}?sig=left-out",
        elements=[{"frontal_image_url": FACE, "reference_image_urls": [SIDE]}],
        negative_prompt="blur",
        aspect_ratio="1:1",
        generate_audio=True,
    )
    shots = ReferenceToVideo(multi_prompt=[{"prompt": "one", "duration": 3}, {"prompt": "two"}])
    other = HubRequest.model_validate({"model": "other", "prompt": "a", "cfg_scale": 0.5, "seed": 7})
    assert [request_hash(request) for request in (full, shots, Omni(prompt="a"), other)] == GOLDEN


GOLDEN = [
    "sha256:2c27c1f941efd7b8a2cb2ef772c8b3888e9ac82ee516ac01f34a6e5c36e2c4b1",
    "sha256:6fd80252b20b43bbf2e3c30d3e3a3191702329d31ae8d80e863f20bb71cf0aa4",
    "sha256:61752c66a8fe4b65f1f9f01c93df6527f9dacf69ddded87db81a3f62e43ec5b2",
    "sha256:197cac6b9003acbaca63ee11534b82252d3f67adaf79b8ec47ececb814d66f78",
]


def test_the_hash_is_that_of_the_canonical_text() -> None:
    text = (
        '{"aspect_ratio":"16:9","duration":5,"generate_audio":false,'
        '"model":"kling-video-o3-omni","prompt":"a","resolution":"1080p"}'
    )
    assert request_hash(Omni(prompt="a")) == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_canonical_json_is_rfc_8785() -> None:
    assert canonical_json({"b": 1.0, "a": [True, None, "é€\n"], "B": 1e21}) == (
        '{"B":1e+21,"a":[true,null,"é€\\n"],"b":1}'.encode()
    )
