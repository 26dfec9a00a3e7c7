"""A request as code that runs on its own, and pasted code as a request.

Everything here is pure: code is text. Nothing is run, fetched or opened. Keys are never part of it: written code reads
`OXEN_API_KEY` or `FAL_KEY` when it runs, and a key in pasted code is left out.
"""

from kling_nb.code.found import Reading
from kling_nb.code.literal import FAL_FLAVOURS, FLAVOURS, FLOWS, Flavour, Flow
from kling_nb.code.read import read_request
from kling_nb.code.write import Snippet, is_fal, snippet

__all__ = [
    "FAL_FLAVOURS",
    "FLAVOURS",
    "FLOWS",
    "Flavour",
    "Flow",
    "Reading",
    "Snippet",
    "is_fal",
    "read_request",
    "snippet",
]
