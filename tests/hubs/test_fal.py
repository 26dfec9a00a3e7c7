"""fal.ai as a hub: the same verbs, with its stand-in on a socket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from front import Front
from hubside import FalSide, HubSide, png_image, until
from PIL import Image

from kling_nb import errors
from kling_nb.models.refusals import named_field
from kling_nb.studio import Studio

KEY = "an-id:a-PLANTED-secret"
TARGET, OMNI = "kling-video-o3-pro-reference-to-video", "kling-video-o3-omni"
PICTURE = "https://example.org/a.png"
START_AND_END = {"start_image_url": PICTURE, "end_image_url": PICTURE}
PRO = "fal-ai/kling-video/o3/pro/reference-to-video"


@pytest.fixture
def studio(studio_at: Callable[..., Studio], fal: FalSide) -> Studio:
    return studio_at(fal, key=KEY)


def failure_of(job: Any) -> Any:
    assert job.wait(60)
    return job.record.failure


def test_a_request_in_our_names_is_one_post_to_fals_endpoint_for_each_clip(studio: Studio, fal: FalSide) -> None:
    jobs = studio.generate("@Image1 sails", input_image=[png_image()], duration=3, num_generations=2)
    records = [clip.record for clip in jobs.result(60)]
    assert fal.posts == 2
    for record in records:
        sent = dict(record.sent)
        assert sent.pop("image_urls")[0].startswith("http")
        assert sent == {
            "model": PRO, "prompt": "@Image1 sails", "duration": "3", "aspect_ratio": "16:9", "generate_audio": False
        }  # fmt: skip
        assert (record.hub, record.local, record.clip.media_type) == (fal.url, False, "video/mp4")
    assert len({record.generation_id for record in records}) == 2
    assert KEY not in "".join(file.read_text() for file in Path(studio.session.store.folder).rglob("*.json"))


def test_a_request_that_never_arrived_is_not_called_unbilled(studio: Studio, fal: FalSide) -> None:
    fal.fault("dropped_connection", times=1, **fal.SUBMIT)
    job = studio.generate("a boat that sank", duration=3)
    with pytest.raises(errors.JobUncertain):
        job.result(60)
    assert "may be generated and billed" in job.progress.trouble
    assert job.record.status == "uncertain"


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [("insufficient_credits", "CreditError", "locked"), ("unauthenticated", "AuthError", "FAL_KEY")],
)
def test_a_refusal_is_our_own_error(studio: Studio, fal: FalSide, fault: str, kind: str, says: str) -> None:
    fal.fault(fault, **fal.SUBMIT)
    failure = failure_of(studio.generate("a boat", duration=3))
    assert failure.kind == kind
    assert says in f"{failure.message} {failure.remedy}"


def test_a_refused_image_is_named_by_its_field(studio: Studio) -> None:
    address = "http://127.0.0.1:9/no-image.png"
    with pytest.warns(errors.RequestWarning):
        job = studio.generate("it moves", model=PRO.replace("reference", "image"), duration="3", image_url=address)
    failure = failure_of(job)
    assert named_field(failure.message, {"prompt": "it moves", "image_url": address}) == ("image_url",)


def test_a_key_that_fal_quotes_is_in_no_record(fal: FalSide, pace: Any, tmp_path: Path) -> None:
    quoted = {"detail": f"invalid key {KEY}, or {KEY.partition(':')[2]}"}
    front = Front(fal.url, lambda method, _path, _headers: (401, quoted) if method == "POST" else None)
    studio = Studio(hub=f"fal+{front.url}", key=KEY, log=tmp_path / "log")
    job = studio.generate("a boat", duration=3)
    assert "rejected the key" in failure_of(job).message
    assert "PLANTED" not in repr(job.record)
    studio.close()
    front.close()


def test_a_field_without_a_counterpart_is_an_error_at_the_field(studio: Studio, fal: FalSide) -> None:
    given: dict[str, Any] = {"negative_prompt": "rain", "response_format": "b64_json", "target_namespace": "team"}
    fields = {**given, "elements": [{"frontal_image_url": "https://example.org/a.png"}]}
    problems = studio.lint("@Element1 sails", **fields)
    assert {problem.field for problem in problems if problem.severity == "error"} == {
        *given, "elements.0.reference_image_urls"
    }  # fmt: skip
    with pytest.raises(errors.RequestError):
        studio.generate("@Element1 sails", **fields)
    assert fal.posts == 0


def test_the_price_is_by_tier_and_sound(studio: Studio) -> None:
    assert str(studio.price("a boat", duration=5)) == "$0.56"
    assert str(studio.price("a boat", duration=5, generate_audio=True)) == "$0.70"
    omni = {"model": "kling-video-o3-omni", "duration": 10}
    prices = [str(studio.price("a boat", resolution=size, **omni)) for size in ("720p", "1080p", "4k")]
    assert prices == ["$0.84", "$1.12", "$4.20"]


def test_kling_4_has_its_form_from_its_schema_and_an_unknown_price(studio: Studio) -> None:
    model = "kling/v4/reference-to-video"
    fields = studio.session.model(model).request_schema["properties"]
    assert fields["image_urls"]["items"]["renderType"] == "image-url"
    request: dict[str, Any] = {
        "model": model,
        "prompt": "@mara and @tom meet @Image10 and @Video5",
        "duration": 20,
        "image_urls": [f"https://example.org/{number}.png" for number in range(10)],
        "video_urls": [f"https://example.org/{number}.mp4" for number in range(5)],
        "elements": [{"name": name, "frontal_image_url": "https://example.org/a.png"} for name in ("mara", "tom")],
    }
    assert list(studio.lint(request)) == []
    assert studio.price(request).total is None


def test_a_field_that_an_endpoint_does_not_list_is_refused(studio: Studio) -> None:
    (problem,) = studio.lint("a boat", model=PRO, duration="5", negative_prompt="rain")
    assert (problem.field, problem.severity) == ("negative_prompt", "error")


@pytest.fixture
def both(fal: FalSide, hub: HubSide, pace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio with the keys of both providers, of which fal is in use."""
    monkeypatch.setattr("kling_nb.connection.PROVIDERS", {"oxen": ("OXEN_API_KEY", hub.url), "fal": ("FAL_KEY", "")})
    monkeypatch.setenv("OXEN_API_KEY", "oxen-key")
    made = Studio(hub=f"fal+{fal.url}", key=KEY, log=tmp_path / "both")
    yield made
    made.close()


def test_both_providers_serve_one_log_and_one_budget_and_a_request_names_its_own(
    both: Studio, fal: FalSide, hub: Any
) -> None:
    both.budget(total=1.2)
    plan = both.sweep({"prompt": "a boat at both", "duration": 3}, hub=["oxen", "fal"])
    assert len({cell.request_hash for cell in plan.cells}) == 2
    records = plan.run().result(60)
    assert {record.hub for record in records} == {hub.url, fal.url}
    assert float(both.spending().total.spent) == pytest.approx(1.008)
    with pytest.raises(errors.BudgetError):
        both.generate("a boat too many", duration=3, hub="fal")


def test_the_models_of_both_providers_are_listed_each_with_its_price(both: Studio, fal: FalSide, hub: HubSide) -> None:
    models = both.hub.models()
    prices = [model.pricing.text for model in models if model.id == TARGET and model.pricing]
    assert prices == ["$0.112–0.14 / s", "$0.224 / s"]
    assert [both.hub.model(TARGET, hub).pricing.text for hub in (None, "oxen")] == prices
    assert models[TARGET].pricing.text == prices[0]
    assert len(models) == len(both.hub.models("oxen")) + len(both.hub.models("fal"))
    assert PRO in repr(models)


def test_a_provider_that_refuses_its_key_is_named_beside_the_models_of_the_other(both: Studio, hub: HubSide) -> None:
    hub.fault("unauthenticated")
    models = both.hub.models()
    assert PRO in {model.id for model in models}
    assert "OXEN_API_KEY" in models.notes[0] and models.notes[0] in models._repr_html_()
    with pytest.raises(errors.AuthError, match="OXEN_API_KEY"):
        both.hub.models("oxen")


@pytest.mark.parametrize(
    ("endpoint", "fields", "wanted"),
    [
        ("o3/pro/reference-to-video", {"duration": "5", "image_urls": [PICTURE]}, {"model": TARGET}),
        (
            "o3/standard/reference-to-video",
            START_AND_END,
            {"model": OMNI, "resolution": "720p"},
        ),
        ("o3/pro/text-to-video", {"duration": "5"}, {"model": "kling-video-o3-pro-text-to-video"}),
        ("o3/pro/image-to-video", {"image_url": PICTURE}, {"model": "kling-video-o3-pro-image-to-video"}),
    ],
)
def test_an_endpoint_of_fals_has_its_other_name_at_oxen(
    both: Studio, endpoint: str, fields: dict[str, Any], wanted: dict[str, Any]
) -> None:
    plan = both.sweep({"prompt": "a boat", "model": f"fal-ai/kling-video/{endpoint}", **fields}, hub=["fal", "oxen"])
    there, here = (cell.request for cell in plan.cells)
    assert (there.model, here.model) == (f"fal-ai/kling-video/{endpoint}", wanted["model"])
    draft = here.draft()
    assert wanted.items() <= draft.items()
    assert draft.get("duration", 5) == 5
    assert not {"image_urls", "end_image_url", "image_url"} & set(draft)


def test_a_field_that_oxen_does_not_have_is_an_error_at_the_field(both: Studio) -> None:
    problems = both.lint("a boat", model=PRO, shot_type="intelligent", hub="oxen")
    assert [problem.field for problem in problems if problem.severity == "error"] == ["shot_type"]
    assert list(both.lint("a boat", model=PRO, shot_type="customize", hub="oxen")) == []


def test_resume_brings_in_the_jobs_of_every_provider_with_a_key(
    studio: Studio, fal: FalSide, hub: HubSide, pace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fal.fault("stuck", times=1)
    job = studio.generate("a boat left at fal", duration=3)
    until(lambda: job.record.generation_id)
    studio.close()
    studio.store._lease.release()
    monkeypatch.setattr("kling_nb.connection.PROVIDERS", {"oxen": ("", ""), "fal": ("FAL_KEY", fal.url)})
    monkeypatch.setenv("FAL_KEY", KEY)
    later = Studio(hub=hub.url, key="test-key", log=studio.store.folder)
    (again,) = later.resume()
    assert again.id == job.id
    again.cancel().result(60)
    until(lambda: again.done)
    assert again.record.status == "cancelled"
    later.close()


def test_a_large_picture_is_uploaded_once_and_without_the_key(studio: Studio, fal: FalSide) -> None:
    image = io.BytesIO()
    Image.new("RGB", (400, 400), "#2050a0").save(image, "PNG")
    fal.fault("failed")
    for _ in range(2):
        failure_of(studio.generate("@Image1 sails", input_image=[image.getvalue()], duration=3))
    assert fal.asked("POST /storage/upload/initiate") == 1
