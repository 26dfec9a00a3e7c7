"""An RO-Crate of records, in the terms of the Process Run Crate profile: each generation is a `CreateAction`.

Version 1.3 is the current specification. The profile is still based on 1.1, so a crate that claims it is a 1.1.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel

from kling_nb.errors import MissingExtra
from kling_nb.exchange.bundle import SCORES, VOTES, Bundle
from kling_nb.models.judgements import Score
from kling_nb.models.record import Record
from kling_nb.render.report import Heading

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

    from kling_nb.exchange.notebook import PublicNotebook

Version = Literal["1.3", "1.1"]
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCES = "https://spdx.org/licenses/"
_STATUS = {"succeeded": "CompletedActionStatus", "failed": "FailedActionStatus", "cancelled": "FailedActionStatus"}


def write_crate(
    folder: Path, bundle: Bundle, heading: Heading, *, version: Version, notebook: PublicNotebook | None, report: str
) -> None:
    """Write a crate into a folder that has the bundle's media. Raises `MissingExtra` without the package `rocrate`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own deprecations do not concern the user
            from rocrate.rocrate import ROCrate
    except ImportError as exc:
        raise MissingExtra("A crate needs rocrate: pip install 'kling-nb[crate]'.") from exc
    crate = ROCrate(version=version, gen_preview=False)
    _describe(crate, heading, version)
    people = [_person(crate, name) for name in heading.authors]
    if people:
        crate.root_dataset["author"] = people
    ours = _add(crate, "#kling_nb", "SoftwareApplication", **_software(bundle, version))
    files = _Files(crate, folder)
    (folder / "report.html").write_text(report, encoding="utf-8")
    files.add("report.html", "The report", "text/html", about=crate.root_dataset)
    if notebook is not None:
        files.bytes("notebook.ipynb", notebook.data, notebook.name, "application/x-ipynb+json")
    images = {
        digest: files.media(name, "A reference image", sha256=digest) for digest, name in bundle.references().items()
    }
    for digest, name in bundle.posters().items():
        files.media(name, "The first frame of a clip", sha256=digest)
    clips = {
        record.id: files.media(name, record.prompt, sha256=record.clip.digest if record.clip else "")
        for record, name in bundle.clips()
    }
    actions = [
        _action(crate, files, record, images, clips.get(record.id), people, ours, version) for record in bundle.records
    ]
    crate.root_dataset["mentions"] = actions
    _add_plans(files, bundle, actions)
    if bundle.votes:
        seen = {name for vote in bundle.votes for name in (vote.left, vote.right)}
        _add_lines(files, VOTES, "Votes on blind pairs of the clips, one a line", bundle.votes, clips, seen)
    if bundle.scores:
        scores = bundle.unique_scores()
        _add_lines(files, SCORES, "Scores of the clips, one a line", scores, clips, bundle.scores.keys())
    for name, scores in bundle.scores.items():
        if name in clips:
            clips[name]["additionalProperty"] = [_score(crate, name, one) for one in scores if one.value is not None]
    crate.write(str(folder))


def _add_plans(files: _Files, bundle: Bundle, actions: list[Any]) -> None:
    for plan in bundle.plans:
        made = [action for record, action in zip(bundle.records, actions, strict=True) if record.plan == plan.id]
        title = f"The plan {plan.id}: a sweep over {', '.join(plan.axes) or 'nothing'}"
        text = plan.model_dump_json(indent=2).encode() + b"\n"
        entity = files.bytes(f"plans/{plan.id}.json", text, title, "application/json")
        if made:
            entity["about"] = made


def _add_lines(
    files: _Files, name: str, title: str, values: Sequence[BaseModel], clips: dict[str, Any], about: Collection[str]
) -> None:
    lines = "".join(f"{value.model_dump_json()}\n" for value in values)
    entity = files.bytes(name, lines.encode(), title, "application/jsonl")
    if known := [clips[one] for one in sorted(about) if one in clips]:
        entity["about"] = known


def _score(crate: ROCrate, record_id: str, score: Score) -> Any:
    known = {"name": score.name, "value": score.value, "measurementTechnique": f"{score.name} {score.version}"}
    more = {name: text for name, text in (("unitText", score.unit), ("description", score.note)) if text}
    return _add(crate, f"#{record_id}-score-{quote(score.name)}", "PropertyValue", **known, **more)


def _describe(crate: ROCrate, heading: Heading, version: Version) -> None:
    crate.name = heading.title
    crate.description = heading.description or f"{heading.title}: generated clips with their records."
    if heading.licence:
        free = heading.licence.startswith(("http://", "https://"))
        address = heading.licence if free else f"{LICENCES}{heading.licence}"
        crate.license = _add(crate, address, "CreativeWork", name=heading.licence)
    else:
        crate.license = "No licence was given. Ask the authors."
    if version == "1.1":
        profile = _add(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
        crate.root_dataset["conformsTo"] = profile


def _software(bundle: Bundle, version: Version) -> dict[str, Any]:
    versions = sorted({record.versions.get("kling_nb", "") for record in bundle.records} - {""})
    return {
        "name": "kling_nb",
        "description": "The notebook toolkit that made the requests and the records.",
        "url": "pkg:pypi/kling-nb",  # a package URL: it names the package and no place that may change
        _version_key(version): ", ".join(versions) or "unknown",
    }


def _version_key(version: Version) -> str:
    """Return the property of a version: the profile accepts both, the newer specification only `version`."""
    return "version" if version == "1.3" else "softwareVersion"


def _action(
    crate: ROCrate,
    files: _Files,
    record: Record,
    images: dict[str, Any],
    clip: Any | None,
    people: list[Any],
    ours: Any,
    version: Version,
) -> Any:
    model = _add(
        crate,
        f"#model-{record.model}",
        "SoftwareApplication",
        name=record.model,
        url=record.hub if record.hub.startswith("http") else "https://docs.oxen.ai",
        description="A hosted model; the version is the digest of its request schema.",
        **{_version_key(version): record.schema_digest or "as hosted"},
    )
    used = [images[digest] for item in record.references if (digest := item.digest) and digest in images]
    text = record.model_dump_json(indent=2).encode() + b"\n"
    described = files.bytes(f"records/{record.id}.json", text, f"The record {record.id}", "application/json")
    times, results = record.times, [clip] if clip is not None else []
    properties: dict[str, Any] = {
        "name": f"Generation {record.id}",
        "description": record.prompt or record.model,
        "startTime": (times.accepted or times.submitted or times.created).isoformat(),
        "endTime": (times.ended or times.completed or times.created).isoformat(),
        "actionStatus": {"@id": f"http://schema.org/{_STATUS[record.status]}"},
        "object": [*used, *_values(crate, record)],
        "result": [*results, described],
        "instrument": model,
        "agent": people[0] if people else ours,
    }
    if record.failure:
        properties["error"] = record.failure.message
    if record.estimate.each is not None:
        properties["disambiguatingDescription"] = f"Price: {record.estimate.each} USD"
    action = _add(crate, f"#{record.id}", "CreateAction", **properties)
    if clip is not None:
        clip["isBasedOn"] = used
    return action


def _values(crate: ROCrate, record: Record) -> list[Any]:
    """Return the request's parameters, except for files."""
    found: list[Any] = []
    for name, value in record.canonical.items():
        if name in ("model", "input_image", "elements", "start_image_url", "tail_image_url", "input_video"):
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        found.append(_add(crate, f"#{record.id}-{name}", "PropertyValue", name=name, value=text))
    return found


def _person(crate: ROCrate, author: str) -> Any:
    """Return the entity of a person, given as a name or as `Name <https://orcid.org/…>`."""
    name, _, address = author.partition("<")
    identifier = address.rstrip("> ") or f"#author-{'-'.join(name.split()).lower()}"
    return _add(crate, identifier, "Person", name=name.strip() or identifier)


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Any:
    if (known := crate.dereference(identifier)) is not None:
        return known
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


class _Files:
    """Adds files to a crate."""

    def __init__(self, crate: ROCrate, folder: Path) -> None:
        self._crate, self._folder = crate, folder

    def media(self, name: str, title: str, **more: Any) -> Any:
        return self.add(name, title, _TYPES.get(Path(name).suffix, "application/octet-stream"), **more)

    def bytes(self, name: str, data: bytes, title: str, media_type: str, **more: Any) -> Any:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return self.add(name, title, media_type, **more)

    def add(self, name: str, title: str, media_type: str, **more: Any) -> Any:
        size = (self._folder / name).stat().st_size
        described = {"name": title[:200] or name, "encodingFormat": media_type, "contentSize": str(size), **more}
        return self._crate.add_file(str(self._folder / name), name, properties=described)
