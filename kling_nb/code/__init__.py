"""A request as code that runs on its own, and pasted code as a request.

Everything here is pure: code is text that comes out or goes in. Nothing is run, fetched or opened, and no key is ever
part of it: code reads it from `OXEN_API_KEY` when it runs, and one in pasted text is left where it was.
"""

from kling_nb.code.choices import FLAVOURS, FLOWS, Flavour, Flow
from kling_nb.code.found import Reading
from kling_nb.code.reading import read_request
from kling_nb.code.writing import Snippet, snippet

__all__ = ["FLAVOURS", "FLOWS", "Flavour", "Flow", "Reading", "Snippet", "read_request", "snippet"]
