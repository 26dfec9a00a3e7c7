"""Records of every kind that a log can hold and hand on: odd texts, shots, elements, missing parts, failed ones."""

from __future__ import annotations

import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from kling_nb.models.canonical import canonical_json
from kling_nb.models.price import Estimate
from kling_nb.models.record import Failure, File, Record, Reference, Times
from kling_nb.models.request import TARGET
from kling_nb.models.urls import sha256


def _png(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


#: Files that references point to, by digest.
PICTURES = {sha256(data): data for data in map(_png, ("teal", "coral"))}

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script> & \"quotes\" 'too'",
        "über 海 🎬 e\u0301 \u202e backwards",
        "line\nbreaks\r\nand\ttabs\0and nothing",
        "word " * 500,
        '{"vote": {"id": 1}}',
        "#tag, with comma; semicolon=1 \\ backslash",
    ]
)
_addresses = st.sampled_from(
    ["https://example.org/a.png", "https://example.org/b%20c.png?size=2", *PICTURES, "pixels-sha256:" + "0" * 64]
)
_shots = st.lists(st.fixed_dictionaries({"prompt": texts, "duration": st.integers(1, 5)}), min_size=1, max_size=3)
_elements = st.fixed_dictionaries(
    {"frontal_image_url": _addresses}, optional={"reference_image_urls": st.lists(_addresses, min_size=1, max_size=2)}
)
_canonicals = st.fixed_dictionaries(
    {"model": st.just(TARGET)},
    optional={
        "prompt": texts,
        "multi_prompt": _shots,
        "duration": st.integers(3, 15),
        "input_image": st.lists(_addresses, min_size=1, max_size=3),
        "start_image_url": _addresses,
        "elements": st.lists(_elements, min_size=1, max_size=2),
        "negative_prompt": texts,
        "generate_audio": st.booleans(),
    },
)
_begin, _end = (datetime.datetime.fromisoformat(f"{year}-01-01") for year in (2025, 2030))
_times = st.datetimes(_begin, _end, timezones=st.just(datetime.UTC))
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def _references(value: Any, path: str = "") -> list[Reference]:
    """One for each address in a canonical request, as the engine writes them."""
    match value:
        case dict():
            return [one for name, item in value.items() for one in _references(item, f"{path}.{name}".lstrip("."))]
        case list():
            return [one for number, item in enumerate(value) for one in _references(item, f"{path}.{number}")]
        case str() if "image" in path:
            digest = None if value.startswith("http") else value if value in PICTURES else next(iter(PICTURES))
            given = value if digest is None else f"/home/ada/{value[:9]}.png"
            return [Reference(path=path, identity=value, given=given, name="a.png", digest=digest)]
        case _:
            return []


@st.composite
def records(draw: st.DrawFn, clip: File) -> Record:
    """A record that has ended; `clip` is the one of those that succeeded."""
    canonical, created = draw(_canonicals), draw(_times)
    status = draw(st.sampled_from(["succeeded", "succeeded", "failed", "cancelled"]))
    price = draw(st.none() | st.decimals(0, 20, places=4))
    later = {name: draw(st.none() | _times) for name in ("submitted", "accepted", "started", "completed", "ended")}
    return Record(
        id=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)),
        batch=draw(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)),
        hub=draw(st.sampled_from(["https://hub.example", "local"])),
        local=draw(st.booleans()),
        model=TARGET,
        status=status,  # type: ignore[arg-type] -- hypothesis widens the literals
        canonical=canonical,
        request_hash=sha256(canonical_json(canonical)),
        sent=draw(st.none() | st.just(canonical)),
        references=tuple(_references(canonical)),
        estimate=Estimate(
            each=price,
            total=price,
            seconds=5,
            generations=1,
            rate=None if price is None else Decimal("0.1"),
            source="live",
        ),
        generation_id=draw(st.none() | texts),
        server=draw(st.dictionaries(texts, _json, max_size=2)),
        times=Times(created=created, **later),
        clip=clip if status == "succeeded" else None,
        failure=None if status == "succeeded" else draw(st.none() | st.builds(Failure, kind=texts, message=texts)),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        rerun_of=draw(st.none() | st.just("job-of-before")),
        tags=tuple(draw(st.lists(texts, max_size=3, unique=True))),
        stars=draw(st.none() | st.integers(1, 5)),
        note=draw(texts),
        notebook=draw(st.none() | st.just("a <b>.ipynb")),
        versions=draw(st.dictionaries(st.sampled_from(["kling_nb", "python"]), texts, max_size=2)),
    )
