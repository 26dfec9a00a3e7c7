"""Files that explain a log's folder to people: a README, a `.gitignore`, and the clips under readable names.

They are a convenience: a file that cannot be written is left out, and no code reads them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from kling_nb.models.clipname import clip_name
from kling_nb.models.record import Record

_log = logging.getLogger(__name__)

README = """\
# A log of kling_nb

Every clip that was generated from the notebooks beside this folder, with everything needed to make it again.

- `clips/` has the clips under names for people: the day, the prompt, the end of the record's ID (links into `media/`).
- `records/` has one JSON file per generation: request, price, times, result. These files are the truth; keep them.
- `media/` has clips, posters and reference images, each once, named by its checksum.
- `index.sqlite` can be deleted at any time: it is built again from `records/`. `trash/` can be emptied.

In Python: `import kling_nb as kn`, then `kn.gallery()`, `kn.log()`, `kn.log.verify()`, `kn.log().export("study.zip")`.
The files are described in docs/log-format.md of kling_nb. To move the log, move the whole folder.
"""

#: Records, plans, votes and saved values are small text, worth a commit; these are not.
IGNORED = """\
/clips/
/media/
/partial/
/trash/
/index.sqlite*
/*.lock
/locks/
"""


class Guide:
    """The README, the `.gitignore` and the links of one folder; `file` returns the media file of a digest."""

    def __init__(self, folder: Path, file: Callable[[str], Path | None]) -> None:
        self._folder, self._file = folder, file
        self._written = False

    def write(self) -> None:
        """Write the README and the `.gitignore`, unless there are any."""
        if not self._written:
            self._written = True
            for name, text in (("README.md", README), (".gitignore", IGNORED)):
                with _harmless(name), (self._folder / name).open("x", encoding="utf-8") as file:
                    file.write(text)

    def add(self, record: Record) -> None:
        """Link a finished clip under its name for people, where the system has links."""
        if record.clip is None or (file := self._file(record.clip.digest)) is None:
            return
        link = self._folder / "clips" / clip_name(record)
        with _harmless(link.name):
            link.parent.mkdir(exist_ok=True)
            try:
                link.symlink_to(os.path.relpath(file, link.parent))
            except FileExistsError:
                raise
            except OSError:  # Windows asks for a privilege, some drives have no such links
                os.link(file, link)

    def remove(self, record: Record) -> None:
        """Remove the link of a clip."""
        if record.clip is not None:
            with _harmless("a link"):
                (self._folder / "clips" / clip_name(record)).unlink()


@contextmanager
def _harmless(name: str) -> Generator[None]:
    try:
        yield
    except (FileExistsError, FileNotFoundError):
        pass
    except OSError as exc:
        _log.debug("%s was not written: %s", name, exc)
