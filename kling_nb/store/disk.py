"""Read files of limited size, write them whole or not at all, and turn the system's errors into `LogError`."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from kling_nb.errors import ArgumentError, ArgumentTypeError, LogError
from kling_nb.models.messages import short_repr

_REMEDY = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some of your quota",
    errno.EACCES: "give yourself permission to write there, or choose another folder",
    errno.EPERM: "give yourself permission to write there, or choose another folder",
    errno.EROFS: "it is on a read-only disk: choose another folder",
    errno.ENOTDIR: "a file is in the way: choose another folder",
    errno.EEXIST: "a file is in the way: choose another folder",
}


def unreadable(path: Path) -> str:
    """Return why a path is not that of a file to read, as the end of a sentence; empty if it is.

    A pipe or a device may have no end, and opening it may wait for ever.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "does not exist"
    except ValueError:  # a NUL byte, or half a surrogate pair
        return "is not a valid path"
    except OSError as exc:
        return f"cannot be read ({exc.strerror})"
    if stat.S_ISDIR(mode):
        return "is a folder"
    return "" if stat.S_ISREG(mode) else "is not a regular file"


def path_of(name: str, given: object) -> Path:
    """Return the path of an argument, without `~`. Raises `ArgumentTypeError` if it is not one."""
    if not isinstance(given, str | os.PathLike):
        raise ArgumentTypeError(f"{name} must be a path, got {short_repr(given)}.")
    path = Path(cast("str | os.PathLike[str]", given))
    if "\0" in str(path):
        raise ArgumentError(f"{name} is not a valid path, got {short_repr(given)}.")
    return path.expanduser()


def can_write(path: Path) -> bool:
    """Return whether this process may write a file, or into a folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


#: File systems on other machines, where SQLite's locks cannot be relied on.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.rclone", "afs", "ncpfs", "davfs"})


def network_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the network file system that a folder is on, `nfs4`; empty for a local one, or if it is not known."""
    found = Path("/"), ""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        return ""
    for line in lines:
        fields, _, source = line.partition(" - ")
        if len(parts := fields.split()) > 4 and source:
            point = Path(parts[4].replace("\\040", " "))
            if folder.is_relative_to(point) and point.is_relative_to(found[0]):
                found = point, source.split()[0]
    return found[1] if found[1] in _NETWORK else ""


def on_network(folder: Path) -> str:
    """Return a warning if a log's folder is on a network drive, else an empty text."""
    drive = network_of(folder)
    return drive and (
        f"The log in {folder} is on a network drive ({drive}), where the locks of its index are not reliable. Use it "
        "from one machine at a time, or choose a local folder by KLING_NB_LOG or kn.configure(log=…)."
    )


#: The most bytes of a file that is read whole: a record has a few thousand, and parsing takes ten times the memory.
MOST_BYTES = 8_000_000


def read_whole(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file. Raises OSError, also if it is larger than any of ours, or not a regular file."""
    size = path.stat().st_size
    if why := unreadable(path):
        raise OSError(errno.EINVAL, f"it {why}", str(path))
    if size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {most:,}", str(path))
    return path.read_bytes()


def lines_of(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Yield the lines of a file; a line that is longer than `longest` bytes is cut just after them."""
    while line := stream.readline(longest + 2):
        complete = line.endswith(b"\n")
        yield line
        while not complete and (rest := stream.readline(1 << 20)):
            complete = rest.endswith(b"\n")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees either the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        move(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def move(source: Path, target: Path) -> None:
    """Rename within one disk, and make the rename durable."""
    source.chmod(0o666 & ~_UMASK)
    source.replace(target)
    with contextlib.suppress(OSError):  # Windows and some network disks cannot sync a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def written_in(folder: Path) -> Generator[None]:
    """Turn OSError into a `LogError` that names the folder and what to do."""
    try:
        yield
    except OSError as exc:
        remedy = _REMEDY.get(exc.errno or 0, "check the folder")
        raise LogError(f"The log in {folder} cannot be written ({exc.strerror or exc}): {remedy}.") from exc


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# Temporary files are private (0600); a shared folder needs the user's usual permissions.
_UMASK = _umask()
