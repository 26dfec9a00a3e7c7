"""A record as the Python call that makes it again, fit to be pasted into a cell."""

from __future__ import annotations

from kling_nb.code.call import NamelessError, call, call_fields, is_keyword_name, name_of
from kling_nb.code.literal import quoted
from kling_nb.models.record import Record


def call_text(record: Record) -> str:
    """Return `kn.generate(…)` for one clip like the record's, and the shorter `kn.log()["…"].rerun()`.

    Pictures stand as they were given: a path or a URL. One that was given as bytes or pixels has no such name; then
    only the second form is given, which takes it out of the log's own media. What is the default is left out, and so is
    the number of generations: a pasted call pays for one, and that of a preview is a preview again.
    """
    rerun = f"kn.log()[{quoted(record.id)}].rerun()"
    names = {item.path: name_of(item) for item in record.references}
    try:
        fields = call_fields({**record.canonical, "model": record.model}, names)
    except NamelessError:
        fields = {}
    if not fields or not all(map(is_keyword_name, fields)):
        what = ", ".join(path for path, name in names.items() if name is None) or "a reference"
        return f"# {' '.join(what.split())} was given as bytes or pixels: the log has kept it\n{rerun}"
    verb = "kn.preview" if record.kind == "preview" else "kn.generate"
    return f"{call(verb, fields)}\n\n# or, pictures included\n{rerun}"


def panel_text(record: Record) -> str:
    """Return the call that opens the panel filled with the record's request."""
    return f"kn.panel({quoted(record.id)})"
