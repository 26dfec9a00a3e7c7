"""All that is wrong, or doubtful, with a request, at once, each at its field, before any money is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from kling_nb.models import rules
from kling_nb.models.asset import Asset
from kling_nb.models.catalogue import Model
from kling_nb.models.fields import Fault, Path, assets_in, parse_asset, plain, resolved, without_empty
from kling_nb.models.messages import problem_of
from kling_nb.models.problem import Problem, error, warning
from kling_nb.models.request import TARGET, HubRequest, Request, request_type
from kling_nb.models.rules import check_mentions
from kling_nb.models.schema import check_body

MAX_BYTES = 10 * 1024 * 1024
MIN_PIXELS = 300
MIN_RATIO, MAX_RATIO = 0.40, 2.50

_MEDIA = ("input_image", "start_image_url", "tail_image_url", "frontal_image_url", "reference_image_urls")


def lint(request: Request | Mapping[str, Any], model: Model | None = None) -> list[Problem]:
    """Return every problem of a request, errors first.

    Takes a request or its fields as a mapping, finished or not. With the catalogue's `model`, a request that has no
    class here is also checked against its `request_schema`. Local pictures are opened and read to their end.
    """
    if isinstance(request, Request):
        return _problems(request.draft(), type(request), [], model)
    fields, faults = _read(request)
    return _problems(fields, _kind_of(fields), faults, model)


def parse(fields: Mapping[str, Any], model: Model | None = None) -> tuple[Request | None, list[Problem]]:
    """Return the request that the fields make (None when they make none) and every problem with them.

    Files and generators among the fields are read once: what was checked is what the request holds.
    """
    read, faults = _read(fields)
    kind = _kind_of(read)
    try:
        request = kind.model_validate(read)
        # What has become a request needs no salvage, which would make it once more.
        return request, _problems(read, kind, faults, model) if faults else _judged(plain(read), kind, [], model)
    except ValidationError as exc:
        problems = _problems(read, kind, faults, model)
        if not any(problem.severity == "error" for problem in problems):
            said = [problem_of(fault, kind) for fault in exc.errors(include_url=False)]
            problems = [*said, *problems]
        return None, problems


def check_asset(path: Path, asset: Asset) -> Iterator[Problem]:
    """Yield what the model will have against a picture: type, 10 MB, 300 px, 0.40 to 2.50 (HUB_API section 6).

    Of a video it is asked only that it can be read.
    """
    facts, given = asset.facts, asset.given
    if asset.video_facts and asset.video_facts.error:
        yield error(path, f"{given} cannot be read: {asset.video_facts.error}", "give an MP4 file")
    if facts is None:
        return
    if facts.error:
        yield error(path, f"{given} cannot be read: {facts.error}", "give a JPEG or PNG file")
        return
    if facts.format in ("WEBP", "GIF"):
        yield warning(path, f"{given} is a {facts.format}, which is not always taken", "convert it to JPEG or PNG")
    elif facts.format not in ("JPEG", "PNG", "MPO"):
        yield error(path, f"{given} is a {facts.format}, which is not taken", "convert it to JPEG or PNG")
    size = len(asset.data or b"")
    if size > MAX_BYTES:
        yield error(path, f"{given} has {size / 1024 / 1024:.2f} MB", "at most 10 MB: make it smaller")
    if min(facts.width, facts.height) < MIN_PIXELS:
        yield error(
            path,
            f"{given} is {facts.width}×{facts.height} px, which is too small",
            f"at least {MIN_PIXELS} px on each side",
        )
    if not MIN_RATIO <= facts.width / facts.height <= MAX_RATIO:
        shape = "wide" if facts.width > facts.height else "tall"
        yield error(
            path,
            f"{given} is {facts.width}×{facts.height} px, which is too {shape}",
            "crop or pad it until its width is 0.40 to 2.50 times its height",
        )


def _kind_of(fields: Mapping[str, Any]) -> type[Request]:
    model = fields.get("model", TARGET)
    return request_type(model if isinstance(model, str) else TARGET)


def _read(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Read the fields once: generators become lists and files assets. What is no asset stays, for pydantic to fault."""
    draft = plain(without_empty(fields))
    draft.setdefault("model", TARGET)
    if _kind_of(draft) is HubRequest:
        return HubRequest.read(draft)
    return {name: _with_assets(name, value) for name, value in draft.items()}, []


def _with_assets(name: str, value: Any) -> Any:
    match value:
        case list():
            return [_with_assets(name, item) for item in value]
        case dict():
            return {key: _with_assets(key, item) for key, item in value.items()}
        case _ if name == "input_video":
            return parse_asset(value, "video", [], ())
        case _ if name in _MEDIA:
            return parse_asset(value, "image", [], ())
        case _:
            return value


def _problems(
    fields: dict[str, Any], kind: type[Request], faults: list[Fault], model: Model | None = None
) -> list[Problem]:
    draft, problems = _salvage(fields, kind, faults)
    return _judged(draft, kind, problems, model)


def _judged(draft: dict[str, Any], kind: type[Request], problems: list[Problem], model: Model | None) -> list[Problem]:
    """Return the problems with those of a sound draft: broken rules, empty mentions, unfit pictures."""
    unsound = {_pattern(problem.path) for problem in problems}
    problems = [*problems, *rules.broken(kind.RULES, draft, unsound)]
    if model and kind is HubRequest:
        problems += _against_schema(draft, model, {problem.path[:1] for problem in problems})
    problems += check_mentions(draft)
    problems += [p for path, asset in assets_in(draft) for p in check_asset(path, asset)]
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.severity != "error")


def _salvage(fields: dict[str, Any], kind: type[Request], faults: list[Fault]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the sound part of the fields, and the faults of the rest."""
    problems = [error(*fault) for fault in faults]
    draft = _without(plain(fields), [path for path, _, _ in faults])
    try:
        kind.model_validate(draft)
    except ValidationError as exc:
        faulty = [fault for fault in exc.errors(include_url=False) if fault["loc"]]
        problems += [problem_of(fault, kind) for fault in faulty]
        # A text that is too long still mentions its references.
        draft = _without(draft, [fault["loc"] for fault in faulty if fault["type"] != "string_too_long"])
    return draft, problems


def _without(draft: dict[str, Any], paths: list[Path]) -> dict[str, Any]:
    for path in sorted(paths, key=len, reverse=True):
        _drop(draft, path)
    return draft


def _drop(draft: Any, path: Path) -> None:
    *parents, last = path
    for key in parents:
        try:
            draft = draft[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(draft, dict):
        draft.pop(last, None)
    elif isinstance(draft, list) and isinstance(last, int) and last < len(draft):
        draft[last] = {}  # keeps its place: the next picture is still @Image2


def _pattern(path: Path) -> str:
    return ".".join("*" if isinstance(step, int) else str(step) for step in path)


def _against_schema(draft: Mapping[str, Any], model: Model, unsound: set[Path]) -> list[Problem]:
    body = resolved(draft, lambda asset: asset.identity if asset.url else "https://example.invalid/file")
    return [problem for problem in check_body(body, model.request_schema) if problem.path[:1] not in unsound]
