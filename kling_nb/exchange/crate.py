"""An RO-Crate of records, in the terms of the Process Run Crate profile: each generation is a `CreateAction`.

Version 1.3 is the current specification. The profile is still based on 1.1, so a crate that claims it is a 1.1.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
    crate = _Crate(ROCrate(version=version, gen_preview=False), folder, version)
    crate.describe(heading)
    people = [crate.person(name) for name in heading.authors]
    if people:
        crate.root["author"] = people
    ours = crate.software(bundle)
    crate.write("report.html", report.encode(), "The report", "text/html", about=crate.root)
    if notebook is not None:
        crate.write("notebook.ipynb", notebook.data, notebook.name, "application/x-ipynb+json")
    images = {
        digest: crate.media(name, "A reference image", sha256=digest) for digest, name in bundle.references().items()
    }
    for digest, name in bundle.posters().items():
        crate.media(name, "The first frame of a clip", sha256=digest)
    clips = {
        record.id: crate.media(name, record.prompt, sha256=record.clip.digest if record.clip else "")
        for record, name in bundle.clips()
    }
    agent = people[0] if people else ours
    actions = [crate.action(record, images, clips.get(record.id), agent) for record in bundle.records]
    crate.root["mentions"] = actions
    for plan in bundle.plans:
        made = [action for record, action in zip(bundle.records, actions, strict=True) if record.plan == plan.id]
        title = f"The plan {plan.id}: a sweep over {', '.join(plan.axes) or 'nothing'}"
        crate.json(f"plans/{plan.id}.json", plan, title, about=made)
    if bundle.votes:
        seen = {name for vote in bundle.votes for name in (vote.left, vote.right)}
        crate.lines(VOTES, "Votes on blind pairs of the clips, one a line", bundle.votes, clips, seen)
    if bundle.scores:
        scores = bundle.unique_scores()
        crate.lines(SCORES, "Scores of the clips, one a line", scores, clips, bundle.scores.keys())
    for name, scores in bundle.scores.items():
        if name in clips:
            clips[name]["additionalProperty"] = [crate.score(name, one) for one in scores if one.value is not None]
    crate.crate.write(str(folder))


_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True)
class _Crate:
    """A crate of the library, with its folder; its methods add an entity each and return it."""

    crate: ROCrate
    folder: Path
    version: Version

    @property
    def root(self) -> Any:
        return self.crate.root_dataset

    def add(self, identifier: str, kind: str, **properties: Any) -> Any:
        if (known := self.crate.dereference(identifier)) is not None:
            return known
        from rocrate.model.contextentity import ContextEntity

        return self.crate.add(ContextEntity(self.crate, identifier, properties={"@type": kind, **properties}))

    # Files

    def media(self, name: str, title: str, **more: Any) -> Any:
        return self._file(name, title, _TYPES.get(Path(name).suffix, "application/octet-stream"), **more)

    def write(self, name: str, data: bytes, title: str, media_type: str, **more: Any) -> Any:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return self._file(name, title, media_type, **more)

    def json(self, name: str, value: BaseModel, title: str, **more: Any) -> Any:
        return self.write(name, value.model_dump_json(indent=2).encode() + b"\n", title, "application/json", **more)

    def lines(
        self, name: str, title: str, values: Sequence[BaseModel], clips: dict[str, Any], about: Collection[str]
    ) -> None:
        data = "".join(f"{value.model_dump_json()}\n" for value in values).encode()
        known = [clips[one] for one in sorted(about) if one in clips]
        self.write(name, data, title, "application/jsonl", about=known)

    def _file(self, name: str, title: str, media_type: str, **more: Any) -> Any:
        size = (self.folder / name).stat().st_size
        described = {"name": title[:200] or name, "encodingFormat": media_type, "contentSize": str(size)}
        known = {key: value for key, value in more.items() if value != []}
        return self.crate.add_file(str(self.folder / name), name, properties={**described, **known})

    # Everything else

    def describe(self, heading: Heading) -> None:
        self.crate.name = heading.title
        self.crate.description = heading.description or f"{heading.title}: generated clips with their records."
        if heading.licence:
            free = heading.licence.startswith(("http://", "https://"))
            address = heading.licence if free else f"{LICENCES}{heading.licence}"
            self.crate.license = self.add(address, "CreativeWork", name=heading.licence)
        else:
            self.crate.license = "No licence was given. Ask the authors."
        if self.version == "1.1":
            profile = self.add(PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
            self.root["conformsTo"] = profile

    def person(self, author: str) -> Any:
        """Add a person, given as a name or as `Name <https://orcid.org/…>`."""
        name, _, address = author.partition("<")
        identifier = address.rstrip("> ") or f"#author-{'-'.join(name.split()).lower()}"
        return self.add(identifier, "Person", name=name.strip() or identifier)

    def software(self, bundle: Bundle) -> Any:
        versions = sorted({record.versions.get("kling_nb", "") for record in bundle.records} - {""})
        properties = {
            "name": "kling_nb",
            "description": "The notebook toolkit that made the requests and the records.",
            "url": "pkg:pypi/kling-nb",  # a package URL: it names the package and no place that may change
            self._version_key: ", ".join(versions) or "unknown",
        }
        return self.add("#kling_nb", "SoftwareApplication", **properties)

    @property
    def _version_key(self) -> str:
        """The property of a version: the profile accepts both, the newer specification only `version`."""
        return "version" if self.version == "1.3" else "softwareVersion"

    def action(self, record: Record, images: dict[str, Any], clip: Any | None, agent: Any) -> Any:
        model = self.add(
            f"#model-{record.model}",
            "SoftwareApplication",
            name=record.model,
            url=record.hub if record.hub.startswith("http") else "https://docs.oxen.ai",
            description="A hosted model; the version is the digest of its request schema.",
            **{self._version_key: record.schema_digest or "as hosted"},
        )
        used = [images[item.digest] for item in record.references if item.digest in images]
        described = self.json(f"records/{record.id}.json", record, f"The record {record.id}")
        times = record.times
        properties: dict[str, Any] = {
            "name": f"Generation {record.id}",
            "description": record.prompt or record.model,
            "startTime": (times.accepted or times.submitted or times.created).isoformat(),
            "endTime": (times.ended or times.completed or times.created).isoformat(),
            "actionStatus": {"@id": f"http://schema.org/{_STATUS[record.status]}"},
            "object": [*used, *self._values(record)],
            "result": [described] if clip is None else [clip, described],
            "instrument": model,
            "agent": agent,
        }
        if record.failure:
            properties["error"] = record.failure.message
        if record.estimate.each is not None:
            properties["disambiguatingDescription"] = f"Price: {record.estimate.each} USD"
        if clip is not None:
            clip["isBasedOn"] = used
        return self.add(f"#{record.id}", "CreateAction", **properties)

    def _values(self, record: Record) -> list[Any]:
        """Add the request's parameters, except for files."""
        found: list[Any] = []
        for name, value in record.canonical.items():
            if name in ("model", "input_image", "elements", "start_image_url", "tail_image_url", "input_video"):
                continue
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            found.append(self.add(f"#{record.id}-{name}", "PropertyValue", name=name, value=text))
        return found

    def score(self, record_id: str, score: Score) -> Any:
        known = {"name": score.name, "value": score.value, "measurementTechnique": f"{score.name} {score.version}"}
        more = {name: text for name, text in (("unitText", score.unit), ("description", score.note)) if text}
        return self.add(f"#{record_id}-score-{quote(score.name)}", "PropertyValue", **known, **more)
