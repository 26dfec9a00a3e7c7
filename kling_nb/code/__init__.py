"""A request as code that runs on its own, and pasted code as a request.

Everything here is pure: code is text. Nothing is run, fetched or opened. Keys are never part of it: written code reads
`OXEN_API_KEY` when it runs, and a key in pasted code is left out.
"""

from kling_nb.code.found import Reading
from kling_nb.code.literal import FLAVOURS, FLOWS, Flavour, Flow
from kling_nb.code.read import read_request
from kling_nb.code.write import Snippet, snippet

__all__ = ["FLAVOURS", "FLOWS", "Flavour", "Flow", "Reading", "Snippet", "read_request", "snippet"]
