"""Rows follow jobs; the throttle sends few messages and never loses the last one."""

import asyncio
import threading
import time

from hubside import until
from stand_in import Engine, Job

from kling_nb.ui.messages import Throttle
from kling_nb.ui.progress import Rows, row_of


def test_an_ended_job_ends_once():
    ended, job = [], Job("a")
    job.become("succeeded")

    Rows(lambda rows: None, ended.append).add([job])

    assert ended == [job] and job.listeners == []


def test_a_job_is_unsubscribed_when_it_ends():
    ended, job = [], Job("a")
    rows = Rows(lambda rows: None, ended.append)
    rows.add([job])

    job.become("processing")
    job.become("succeeded")

    assert ended == [job] and job.listeners == []


def test_a_job_that_is_added_twice_has_one_row():
    sent, job = [], Job("a")
    rows = Rows(sent.append, lambda job: None)

    rows.add([job])
    rows.add([job])

    assert [row["id"] for row in sent[-1]] == [job.id]


def test_the_newest_row_can_come_first():
    sent, jobs = [], [Job("a"), Job("b")]
    rows = Rows(sent.append, lambda job: None, newest_first=True)

    rows.add(jobs)

    assert [row["title"] for row in sent[-1]] == ["b", "a"]


def test_a_failure_is_shown_with_its_remedy():
    job = Job("a")
    job.fail("no face was found", "use a clearer portrait")

    assert row_of(job)["failure"] == {"message": "no face was found", "remedy": "use a clearer portrait"}


async def test_a_burst_on_a_loop_is_two_messages_and_the_last_one_is_current():
    sent, value, last = [], 0, asyncio.Event()

    def send():
        sent.append(value)
        if value == 499:
            last.set()

    throttle = Throttle(send, interval=0.02)
    for value in range(500):  # noqa: B007 - `send` reads it
        throttle()
    await asyncio.wait_for(last.wait(), 5)

    assert sent == [0, 499]


def test_without_a_loop_every_change_is_sent_immediately():
    sent = []
    throttle = Throttle(lambda: sent.append(1))

    for _ in range(3):
        throttle()

    assert len(sent) == 3


def test_many_threads_end_with_the_current_rows():
    sent, jobs = [], [Job(str(number)) for number in range(8)]
    rows = Rows(sent.append, lambda job: None)
    rows.add(jobs)

    def run(job):
        for status in ("processing", "downloading", "succeeded"):
            job.become(status)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {row["status"] for row in sent[-1]} == {"succeeded"}


def test_rows_can_be_added_while_late_ones_are_sent():
    """Neither thread may hold the lock that the other waits for: that of the rows, and that of their messages."""
    engine, sent = Engine(), []

    class SlowJob(Job):
        @property
        def progress(self):
            time.sleep(0.3)  # longer than a late message waits, while the rows are locked
            return self._progress

        @progress.setter
        def progress(self, value):
            self._progress = value

    early, late = Job("early", engine=engine), SlowJob("late")
    rows = Rows(sent.append, lambda job: None)
    rows.add([early])
    early.become("processing")  # immediately or late; the next one is late in any case
    early.become("downloading")
    adding = threading.Thread(target=rows.add, args=([late],), daemon=True)
    adding.start()
    adding.join(60)

    assert not adding.is_alive()
    until(lambda: {row["title"]: row["status"] for row in sent[-1]} == {"early": "downloading", "late": "queued"})
