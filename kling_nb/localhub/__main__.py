"""`python -m kling_nb.localhub`: the process of a local hub.

The processes that render import this module again, so it loads the server only to run it.
"""

import sys

if __name__ == "__main__":
    # jsonschema loads this package for formats that the hub does not check, and loading it takes over a second.
    sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
    from .server import main

    sys.exit(main())
