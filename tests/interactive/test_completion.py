"""Tab and `?` find the verbs, their fields, and the names of jobs, clips and records, with jedi or without it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from hubside import HubSide
from IPython.core.completer import IPCompleter, provisionalcompleter
from pydantic import BaseModel

import kling_nb as kn
from kling_nb.models.field_docs import FIELD_DOCS
from kling_nb.models.request import DEFAULTS, Omni, ReferenceToVideo, RequestFields
from kling_nb.studio import Studio

FIELDS = {"duration", "num_generations", "generate_audio"}
FILTERS = {"stars", "status", "since"}


@pytest.fixture(scope="module")
def names(_quick_hub: HubSide, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A user's namespace after one clip."""
    studio = Studio(hub=_quick_hub.url, key="test-key", log=tmp_path_factory.mktemp("completion") / "log")
    job = studio.generate("a paper boat", duration=3)
    clip = job.result(60)
    yield {"kn": kn, "job": job, "clip": clip, "record": clip.record, "request": clip.record.request()}
    studio.close()


def completed(names: dict[str, Any], code: str, *, jedi: bool) -> set[str]:
    """Return the texts that Tab offers after `code` in a shell with these names."""
    completer = IPCompleter(shell=None, namespace=names, global_namespace=names)
    completer.use_jedi = jedi
    with provisionalcompleter():
        return {each.text.lstrip(".") for each in completer.completions(code, len(code))}


@pytest.mark.parametrize("jedi", [True, False], ids=["jedi", "IPython"])
def test_a_job_a_clip_and_the_package_complete(names: dict[str, Any], jedi: bool) -> None:
    assert {"result", "cancel", "record", "progress", "state", "done"} <= completed(names, "job.", jedi=jedi)
    assert {"path", "duration", "width", "height", "frames", "save"} <= completed(names, "clip.", jedi=jedi)
    assert {"generate", "price", "log", "sweep", "panel"} <= completed(names, "kn.", jedi=jedi)
    assert {"verify", "rebuild", "merge"} <= completed(names, "kn.log.", jedi=jedi)


@pytest.mark.parametrize("verb", ["generate", "price", "preview", "lint", "sweep", "log", "gallery", "configure"])
def test_each_verb_completes_its_keywords(names: dict[str, Any], verb: str) -> None:
    expected = {"log": FILTERS, "gallery": FILTERS, "configure": {"hub", "key"}}.get(verb, FIELDS)
    # IPython asks for the signature with or without jedi.
    assert {f"{name}=" for name in expected} <= completed(names, f"kn.{verb}(", jedi=False)


def test_jedi_completes_fields_too(names: dict[str, Any]) -> None:
    assert "duration=" in completed(names, "kn.generate(dur", jedi=True)
    assert "duration=" in completed(names, "record.rerun(dur", jedi=True)
    assert "frames" in completed(names, "kn.generate('x').result().", jedi=True)


def test_records_and_requests_offer_what_a_user_needs(names: dict[str, Any]) -> None:
    inherited = {name for name in vars(BaseModel) if not name.startswith("_")} | {"HIDDEN", "RULES"}
    record, request = completed(names, "record.", jedi=True), completed(names, "request.", jedi=True)
    assert {"prompt", "price", "clip", "stars", "rerun", "diff", "save"} <= record
    assert not (record | request) & (inherited | {"attach", "holder", "revision", "broken_rules"})
    assert request == set(ReferenceToVideo.model_fields)
    assert record == {name for name in dir(names["record"]) if not name.startswith("_")}


def test_the_help_of_generate_has_each_field_with_its_default_and_range() -> None:
    signature, doc = inspect.signature(kn.generate), inspect.getdoc(kn.generate) or ""
    assert "self" not in signature.parameters
    assert set(RequestFields.__annotations__) == set(FIELD_DOCS) <= set(signature.parameters)
    for name, text in FIELD_DOCS.items():
        assert signature.parameters[name].default == DEFAULTS[name]
        assert f"{name}: {text[:40]}" in doc
        if DEFAULTS[name] not in (None, ()):
            assert "default" in text
            assert str(DEFAULTS[name]) in text
        for limit in limits_of(name):
            assert str(limit) in text, (name, limit)


def limits_of(name: str) -> set[Any]:
    """Return the choices and the limits of a field in its JSON Schema, but not those of the models apart."""
    model = ReferenceToVideo if name in ReferenceToVideo.model_fields else Omni
    schema = model.model_json_schema()["properties"][name]
    keys = ("minimum", "maximum", "ge", "le", "maxItems") if name != "model" else ()
    return {schema[key] for key in keys if key in schema} | set(schema.get("enum", ()))
