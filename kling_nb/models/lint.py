"""The one way in: fields are parsed and checked once, and every problem is reported at its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from kling_nb.models.addresses import check_address
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model
from kling_nb.models.fields import assets_in, plain, resolved, with_lists, with_media, without, without_empty
from kling_nb.models.images import ImageError
from kling_nb.models.messages import problem_of
from kling_nb.models.problem import Path, Problem, error, warning
from kling_nb.models.request import READ, TARGET, HubRequest, Request, is_kling, model_of, request_type
from kling_nb.models.rules import Draft, check_rules, edits_video
from kling_nb.models.schema import check_body
from kling_nb.models.videos import check_video

MAX_BYTES = 10 * 1024 * 1024
MIN_PIXELS = 300
MIN_RATIO, MAX_RATIO = 0.40, 2.50


class Parsed(NamedTuple):
    """The request that some fields make, or None, and every problem with them, errors first."""

    request: Request | None
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """The problems that must be fixed before the request is sent."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not stop the request."""
        return [problem for problem in self.problems if problem.severity == "warning"]


def lint(given: Request | Mapping[str, Any], model: Model | None = None, *, now: float | None = None) -> list[Problem]:
    """Return every problem of a request or its fields, errors first; see `parse`."""
    return parse(given, model, now=now).problems


def parse(given: Request | Mapping[str, Any], model: Model | None = None, *, now: float | None = None) -> Parsed:
    """Read and check a request's fields.

    Files and generators are read once: the request holds what was checked. Local images are decoded to their end.

    Args:
        given: The fields, finished or not, or a request.
        model: The catalogue's entry, to check a request without its own class against its `request_schema`.
        now: Unix seconds, to find addresses that have expired.
    """
    if isinstance(given, Request):
        return Parsed(given, _checked(given.broken_rules, type(given), given.draft(), model, now))
    fields = {"model": TARGET, **without_empty(plain(given))}
    kind = request_type(model_of(fields))
    draft, problems = HubRequest.read(fields) if kind is HubRequest else (with_media(with_lists(fields), []), [])
    request, draft = None, without(draft, [problem.path for problem in problems], placeholder={})
    try:
        made = kind.model_validate(draft, context=READ)
    except ValidationError as exc:
        found = exc.errors(include_url=False)
        problems += [problem_of(details, kind) for details in found]
        # A text that is too long still mentions its references.
        wrong = [details["loc"] for details in found if details["type"] != "string_too_long"]
        draft = without(draft, wrong, placeholder={})
        problems += check_rules(kind.RULES, draft, {_pattern(problem.path) for problem in problems})
    else:
        draft, problems = made.draft(), [*problems, *made.broken_rules]
        request = None if any(problem.severity == "error" for problem in problems) else made
    return Parsed(request, _checked(problems, kind, draft, model, now))


def check_asset(path: Path, asset: Asset, model: str = TARGET) -> Iterator[Problem]:
    """Yield the problems that the model would have with an image: its format, size and shape.

    A video, and an image for a model other than Kling's, is only checked for being readable; see `check_video`.
    """
    facts, given = asset.facts, asset.named
    if asset.video_facts and asset.video_facts.error:
        yield error(path, f"{given} cannot be read: {asset.video_facts.error}", "use an MP4 file")
    if facts is None:
        return
    if facts.error:
        yield error(path, f"{given} cannot be read: {facts.error}", "use a JPEG or PNG file")
        return
    try:
        sent = asset.prepared
    except ImageError as exc:
        yield error(path, str(exc), exc.remedy)
        return
    if sent is not asset:
        changes = ", ".join(sent.fixes[len(asset.fixes) :])
        yield warning(path, f"{given} is changed before it is sent: {changes}", "kn.fit_image shows the result")
    if not is_kling(model):
        return
    if sent is asset and facts.format not in ("JPEG", "PNG", "MPO"):
        yield warning(path, f"{given} is a {facts.format}, which may be refused", "convert it to JPEG or PNG")
    size = len(sent.data or b"")
    if size > MAX_BYTES:
        yield error(path, f"{given} is {size / 1024 / 1024:.2f} MB, which is too large", "at most 10 MB")
    pixels = f"{given} is {facts.width}×{facts.height} px, which is too"
    if min(facts.width, facts.height) < MIN_PIXELS:
        yield error(path, f"{pixels} small", f"at least {MIN_PIXELS} px on each side")
    if not MIN_RATIO <= facts.width / facts.height <= MAX_RATIO:
        shape = "wide" if facts.width > facts.height else "tall"
        yield error(path, f"{pixels} {shape}", "crop or pad it to a width of 0.40 to 2.50 times its height")


def _checked(
    problems: list[Problem], kind: type[Request], draft: Draft, model: Model | None, now: float | None
) -> list[Problem]:
    """Return the problems with those of the model's schema and of the images, errors first."""
    if model and kind is HubRequest:
        reported = {problem.path[:1] for problem in problems}
        body = resolved(draft, lambda asset: asset.identity if asset.url else "https://example.invalid/file")
        found = check_body(body, model.request_schema)
        problems = [*problems, *(problem for problem in found if problem.path[:1] not in reported)]
    name, edited = model_of(draft), edits_video(draft)
    for path, asset in assets_in(draft):
        problems = [*problems, *check_asset(path, asset, name), *check_video(path, asset, model=name, edited=edited)]
        problems += check_address(path, asset.url, now) if asset.url else ()
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.severity != "error")


def _pattern(path: Path) -> str:
    return ".".join("*" if isinstance(step, int) else str(step) for step in path)
