"""`python -m kling_nb`: the log, the gallery, spending, export, and downloading clips, without a notebook.

Every command works on the log that a notebook in this folder would use, or on the one that `--log` names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kling_nb import generation
from kling_nb.errors import KlingError, NotSaved
from kling_nb.models.progress import Progress
from kling_nb.render.formatting import counted
from kling_nb.studio import Studio

#: Seconds between two looks for new jobs while watching.
_WATCH = 10.0


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KlingError as exc:
            raise click.ClickException(str(exc)) from exc


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--log", "folder", type=click.Path(path_type=Path), help="The log's folder [default: kling_log].")
@click.version_option(package_name="kling-nb")
@click.pass_context
def main(ctx: click.Context, folder: Path | None) -> None:
    """Show a log of kling_nb, download its clips, and export it."""
    ctx.obj = studio = Studio(log=folder)
    ctx.call_on_close(studio.close)


def _filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.argument("text", required=False),
        click.option("--status", help="Such as succeeded, failed or queued."),
        click.option("--model", help="The model's name."),
        click.option("--tag", help="A tag."),
        click.option("--stars", type=click.IntRange(1, 5), help="At least this many stars."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@main.command("log")
@_filtered
@click.option("--limit", default=20, show_default=True, help="At most this many records.")
@click.option("--json", "as_json", is_flag=True, help="Print one record a line, as JSON.")
@click.pass_obj
def show_log(studio: Studio, limit: int, as_json: bool, text: str | None, **filters: Any) -> None:
    """List the records, newest first; TEXT finds words in prompts, tags and notes."""
    from kling_nb.render.tables import records_text

    found = _existing(studio).log(text, **_given(filters))
    records = found[:limit]
    if as_json:
        for record in records:
            click.echo(record.model_dump_json())
    else:
        click.echo(records_text(records, total=len(found)))


@main.command()
@click.option("--watch", is_flag=True, help="Keep running until Ctrl+C, and include jobs that start later.")
@click.pass_obj
def resume(studio: Studio, watch: bool) -> None:
    """Download the clips of unfinished jobs. Nothing is sent, so nothing new is paid for.

    Jobs that a running kernel holds stay there.
    """
    session = _existing(studio).session
    while True:
        jobs = generation.take_over(session, session.store.unfinished())
        for job in jobs:
            job.subscribe(lambda progress: _say(progress))
        for job in jobs:
            job.wait()
        if not watch:
            break
        time.sleep(_WATCH)
    left = session.store.unfinished()
    unsent = sum(record.status == "prepared" for record in left)
    if unsent:
        click.echo(f"{counted(unsent, 'request')} not sent yet: kn.resume() in a notebook sends what you started.")
    if len(left) > unsent:
        click.echo(f"{counted(len(left) - unsent, 'job')} left: of another hub, or running in a kernel.")
    if not left:
        click.echo("No unfinished jobs.")


@main.command()
@click.option(
    "--by", type=click.Choice(["day", "notebook", "model", "plan", "tag", "person"]), default="day", show_default=True
)
@click.pass_obj
def spending(studio: Studio, by: Any) -> None:
    """Show what was spent, and the budgets."""
    click.echo(repr(_existing(studio).spending(by)))
    click.echo(repr(studio.budget()))


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@_filtered
@click.pass_obj
def export(studio: Studio, target: Path, text: str | None, **filters: Any) -> None:
    """Write records to TARGET: a folder or .zip (RO-Crate), .html, .jsonl or .parquet."""
    click.echo(repr(_existing(studio).log(text, **_given(filters)).export(target)))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port [default: a free one].")
@click.option("--browser/--no-browser", default=True, help="Whether to open a browser.")
@click.pass_obj
def serve(studio: Studio, port: int, browser: bool) -> None:
    """Show the gallery in a browser, until Ctrl+C.

    Only this machine reaches it, and only with the token in its address. It rates, tags, compares, exports and deletes;
    it never generates.
    """
    from kling_nb.lab.standalone import Standalone

    log = _existing(studio).store
    log.count()  # an index that cannot be used is an error here, and not in the browser
    try:
        page = Standalone(log, port)
    except OSError as exc:
        raise click.ClickException(f"Cannot use port {port}: {exc.strerror}. Choose another one with --port.") from exc
    click.echo(f"{page.url}\nCtrl+C ends it.")
    if browser:
        click.launch(page.once)
    page.run()


def _existing(studio: Studio) -> Studio:
    """Return the studio. Raises `NotSaved` without a log: a command that only looks must not begin one."""
    folder = studio.store.folder
    if not folder.is_dir():
        raise NotSaved(f"No log in {folder}. Name another one with --log.")
    return studio


def _given(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def _say(progress: Progress) -> None:
    trouble = f" ({progress.trouble})" if progress.trouble else ""
    click.echo(f"{progress.id}  {progress.label}{trouble}  {progress.title[:60]}")


if __name__ == "__main__":
    main(prog_name="python -m kling_nb")
