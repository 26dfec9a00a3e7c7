"""`make demo-team`: run `05_team.ipynb` on a database and an object store that are started for it, as the tests do."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing

from demo import DEMO, HERE, main

sys.path.insert(0, str(HERE.parent / "tests"))

from support import postgres, swift


def team() -> None:
    """Start the servers, run the notebook and stop them. Without an object store the bucket is a folder."""
    if postgres.UNAVAILABLE:
        sys.exit(f"{postgres.UNAVAILABLE}: install PostgreSQL 15 or later, and add its folder of binaries to PATH.")
    with ExitStack() as servers:
        os.environ["KLING_NB_DATABASE"] = servers.enter_context(closing(postgres.Postgres())).schema()
        os.environ["KLING_NB_MEDIA"] = f"file://{DEMO}/bucket"
        if swift.UNAVAILABLE:
            print(f"{swift.UNAVAILABLE}. The bucket is a folder.")
        else:
            os.environ.update(servers.enter_context(closing(swift.Swift())).environment)
            os.environ["KLING_NB_MEDIA"] = f"s3://{swift.BUCKET}/demo"
        main(HERE / "05_team.ipynb", caches=("ann", "bob"))


if __name__ == "__main__":
    team()
