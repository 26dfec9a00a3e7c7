"""A record, and the hub's reports on its job."""

from __future__ import annotations

import datetime
from typing import Any

from kling_nb.engine.sending import records_for
from kling_nb.models.generation import Generation
from kling_nb.models.price import estimate
from kling_nb.models.record import Record
from kling_nb.models.request import ReferenceToVideo

START = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)


def a_record(prompt: str = "a paper boat", **changes: Any) -> Record:
    request = ReferenceToVideo(prompt=prompt, duration=3)
    price = estimate(request.draft(), free=True)
    record = records_for(request, hub="https://hub.example", local=False, kind="result", estimate=price, now=START)[0]
    return record.model_copy(update=changes)


def a_report(status: str = "processing", **more: Any) -> Generation:
    return Generation.read({"generation_id": "g1", "status": status, **more})
