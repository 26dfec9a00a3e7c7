"""Imported by the parents of kernels and hubs: what each of their children would otherwise load, in half a second.

A missing one is loaded by none, and the tests that need it say so.
"""

import contextlib
import importlib

from kling_nb.hubs import client

for name in (
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "anyio._backends._asyncio",
    "av",
    "httpcore",
    "keyring.core",
    "obstore",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
    "sqlalchemy.dialects.sqlite",
):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
client._usual_certificates()
