"""The only change that the server asks a hub for: to cancel a job, on behalf of a user. It never submits one."""

from __future__ import annotations

from pathlib import Path

from kling_nb.actions import StudioActions
from kling_nb.connection import PATIENCE
from kling_nb.engine.engine import DEADLINE
from kling_nb.errors import KlingError, WaitTimeout
from kling_nb.models.record import Record
from kling_nb.session import Session


def session_of(folder: Path) -> Session:
    """Return a session at a log, with the key and the hub that a kernel of a notebook next to it would have."""
    return Session(StudioActions, {"key": None, "hub": None, "log": folder}, "workbench", DEADLINE, folder.parent)


def cancel(record: Record, folder: Path) -> None:
    """Ask the hub of a job to stop it; the kernel that runs the job learns of it from the hub.

    Raises:
        KlingError: The job has ended or is not at the hub yet, the server has no key for it, or the hub refuses.
    """
    if record.ended:
        raise KlingError("The job has ended already.")
    if not record.generation_id:
        raise KlingError("The hub has not confirmed the job yet, so it cannot be cancelled from here. Try again soon.")
    session = session_of(folder)
    try:
        engine = session.engine_of(record)
        if engine is None:
            raise KlingError(
                f"The Jupyter server has no key for {record.hub}. Cancel the job in its notebook, or put the key into "
                "a .env file next to it."
            )
        try:
            engine.cancel_at_hub(record.generation_id).result(PATIENCE)
        except TimeoutError as exc:
            raise WaitTimeout(f"The hub has not answered for {PATIENCE:.0f} s. Try again.") from exc
    finally:
        session.close()
