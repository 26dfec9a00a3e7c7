"""`%%kling` makes a clip from a cell, `%kling` queries the log. `%load_ext kling_nb` adds both to a notebook."""

from __future__ import annotations

import inspect
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from kling_nb import generation, shared
from kling_nb.engine.job import Job, Jobs
from kling_nb.errors import NotSaved, RequestError
from kling_nb.magics.cell import CellRequest, option_names, read_cell, read_command
from kling_nb.magics.completion import completions
from kling_nb.models.problem import error
from kling_nb.models.request import Request
from kling_nb.notebook.display import Problems
from kling_nb.studio import Studio

_COMPLETES = "kling_nb.magics"


def load(shell: InteractiveShell) -> None:
    """Add `%%kling`, `%kling` and their completion to a shell; `kling_nb.load_ipython_extension` calls it.

    Loading again replaces the completion, so that it is there once.
    """

    @context_matcher(identifier=_COMPLETES)  # pyright: ignore[reportUntypedFunctionDecorator] -- IPython's own, untyped
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        found = completions(shared.studio, context.text_until_cursor, context.token)
        # Jedi would take these lines for Python: its suggestions are suppressed.
        texts = [SimpleCompletion(text) for text in found or ()]
        return {"completions": texts, "suppress": found is not None, "ordered": True}

    shell.register_magics(KlingMagics)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [*(one for one in matchers if getattr(one, "matcher_identifier", "") != _COMPLETES), complete]


@magics_class
class KlingMagics(Magics):
    """The magics `%%kling` and `%kling`."""

    @no_var_expand  # values are filled in after the line is split, so that one with spaces stays one value
    @line_cell_magic
    def kling(self, line: str, cell: str | None = None) -> Any:
        """Make a clip from the text of a cell (`%%kling`), or query the log (`%kling`).

        The first line of the cell has the options, the rest is the prompt:

            %%kling duration=5 image=face.png tag=walk
            @Image1 wakes in the grass.
            --- 3
            A {animal} runs past.

        A line `---` starts the next shot; `--- 3` starts one of 3 seconds. `{expression}` and `$name` are replaced
        by the values of Python variables, in the options too; `{{` and `$$` stand for `{` and `$`. Quote values that
        contain spaces: tag='day one'. Press Tab to complete options, files, tags, elements and models.

        Args:
            duration=5: Length in whole seconds. With several shots: of each shot that has no length of its own.
            image=face.png: A reference image, `@Image1` in the prompt: a path, a URL or a {value}. Repeatable.
            element=mara: A saved element, `@Element1` in the prompt. Repeatable.
            element=front.png,side.png: A new element: a frontal image and further angles.
            start=a.png, tail=b.png: The first and the last frame.
            video=walk.mp4: An input video, for models that take one.
            negative='blur': A negative prompt.
            aspect=16:9: 16:9, 9:16 or 1:1.
            audio=on: Whether to generate audio: on or off.
            count=2: The number of clips, 1 to 4; each is paid for.
            model=kling-video-o3-omni: Another model. Any of its fields is an option.
            tag=walk: A tag of the record. Repeatable.
            into=job: The variable to set to the job; with --wait, to the clip.
            --dry: Check the request and print its price; send nothing.
            --preview: Draw a free animatic on the local hub.
            --wait: Wait for the clip; if the job fails, so does the cell.

        Raises:
            RequestError: Something in the cell cannot be read, or the request would be refused. Nothing was sent.
            BudgetError: The request exceeds a spending limit. Nothing was sent.
            JobError: With --wait: the job ended without a clip.

        On its own line, `%kling` queries the log:

            %kling log tag=walk stars=4 since=7d lantern    records that match; words are searched in the prompts
            %kling spending tag      money spent by day, notebook, model, plan, tag or person
            %kling hub               the hub that is used
            %kling resume            bring back unfinished jobs
            %kling                   this text, and all options

        Filters of the log: tag, status, model, notebook, plan, kind, stars, since and until. A time is a date
        (2026-11-24) or an age (7d, 12h, 30m).
        """
        studio = shared.studio()
        return self._query(studio, line) if cell is None else self._generate(studio, line, cell)

    def _query(self, studio: Studio, line: str) -> Any:
        match read_command(line):
            case "", _:
                print(f"{inspect.cleandoc(str(KlingMagics.kling.__doc__))}\n\nAll options: {_all_options()}")
                return None
            case "log", filters:
                return studio.log(**filters)
            case "spending", by:
                return studio.spending(**by)
            case command, _:
                return getattr(studio, command)()

    def _generate(self, studio: Studio, line: str, cell: str) -> Any:
        shell = self.shell
        assert shell is not None  # noqa: S101 - a magic is registered with its shell
        asked = read_cell(line, cell, shell.ev)
        fields = {**asked.fields, **_elements(studio, asked)}
        if asked.dry:
            return _checked(studio, fields, asked)
        request, _ = generation.check(studio.session, fields)
        if warnings := [*asked.warnings, *studio.lint(request)]:
            display(Problems(warnings))
        shown = result = _started(studio, request, asked)
        if asked.wait:
            display(result)
            shown, result = None, result.result()
        if asked.into:
            shell.user_ns[asked.into] = result
        return shown


def _checked(studio: Studio, fields: dict[str, Any], asked: CellRequest) -> Problems | None:
    problems = Problems([*studio.lint(fields), *asked.warnings])
    try:
        estimate = studio.price(fields)
    except RequestError as exc:
        return Problems(dict.fromkeys([*exc.problems, *problems]))
    display(problems)
    print(" · ".join([str(estimate), *([f"{estimate.seconds} s"] if estimate.seconds else []), estimate.source_text]))
    return None


def _started(studio: Studio, request: Request, asked: CellRequest) -> Job | Jobs:
    if asked.preview:
        request = request.model_copy(update={"num_generations": 1})
    jobs = generation.start(studio.session, request, "preview" if asked.preview else "result", tags=asked.tags)
    return generation.joined(studio.session, jobs)


def _elements(studio: Studio, asked: CellRequest) -> dict[str, Any]:
    """Return the cell's elements: saved ones by name, new ones from `front.png,side.png`."""
    given = asked.fields.get("elements")
    if given is None:
        return {}
    problems, elements = [], []
    for number, one in enumerate(given):
        try:
            elements.append(_element(studio, one) if isinstance(one, str) else one)
        except NotSaved as exc:
            remedy = "save it first, or give images: element=front.png,side.png"
            problems.append(error(("elements", number), str(exc), remedy))
    if problems:
        raise RequestError(problems)
    return {"elements": elements}


def _element(studio: Studio, text: str) -> Any:
    front, *more = text.split(",")
    if more or "." in text or "/" in text:
        return {"frontal_image_url": front, "reference_image_urls": more}
    return studio.elements[text]


def _all_options() -> str:
    return ", ".join(f"{name}=" for name in dict.fromkeys(option_names()))
