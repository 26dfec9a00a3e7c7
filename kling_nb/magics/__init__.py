"""`%%kling` makes a clip from a cell that holds a prompt; `%kling` asks the log. Loaded by `%load_ext kling_nb`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from kling_nb import _default
from kling_nb.engine.job import Job, Jobs
from kling_nb.errors import NotSaved, RequestError
from kling_nb.magics.cell import FLAGS, Ordered, option_names, read_cell
from kling_nb.magics.completion import completions
from kling_nb.magics.question import read_question
from kling_nb.models.problem import Problem, error
from kling_nb.models.request import Request
from kling_nb.notebook.display import Problems
from kling_nb.studio import Studio

_COMPLETES = "kling_nb.magics"


def load(shell: InteractiveShell) -> None:
    """Add the magics and their completion to a shell."""

    @context_matcher(identifier=_COMPLETES)  # pyright: ignore[reportUntypedFunctionDecorator] -- IPython's own, untyped
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        found = completions(_default.studio, context.text_until_cursor, context.token)
        # On these lines nothing else is offered: what Jedi sees there is no Python.
        texts = [SimpleCompletion(text) for text in found or ()]
        return {"completions": texts, "suppress": found is not None, "ordered": True}

    shell.register_magics(KlingMagics)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [*(one for one in matchers if getattr(one, "matcher_identifier", "") != _COMPLETES), complete]


@magics_class
class KlingMagics(Magics):
    """`%%kling` and `%kling`."""

    @no_var_expand  # values are put in after the line is taken apart, so that one with spaces stays one value
    @line_cell_magic
    def kling(self, line: str, cell: str | None = None) -> Any:
        """Make a clip from the cell's text, or ask the log.

        %%kling duration=5 image=face.png tag=walk      the prompt is the cell; a line --- 3 starts a shot of 3 s
        %kling log tag=walk status=failed lantern       the records that pass; words are looked for in the prompts
        %kling spending tag                             by day, notebook, model, plan or tag
        %kling hub, %kling resume                       who answers; unfinished jobs come back
        %kling                                          every option
        """
        studio = _default.studio()
        return self._asked(studio, line) if cell is None else self._made(studio, line, cell)

    def _made(self, studio: Studio, line: str, cell: str) -> Any:
        order = read_cell(line, cell, self._shell.ev)
        fields = {**order.fields, **_elements(studio, order)}
        if order.dry:
            return self._dry(studio, fields, order.doubts)
        request = studio.request(fields)
        if doubts := [*order.doubts, *studio.lint(request)]:
            display(Problems(doubts))
        job = _begun(studio, request, order)
        if not order.wait:
            return self._kept(order, job, job)
        display(job)
        self._kept(order, job.result(), None)
        return None

    @property
    def _shell(self) -> InteractiveShell:
        assert self.shell is not None  # noqa: S101 - a magic is registered with its shell
        return self.shell

    def _kept(self, order: Ordered, value: Any, shown: Any) -> Any:
        if order.into:
            self._shell.user_ns[order.into] = value
        return shown

    def _dry(self, studio: Studio, fields: dict[str, Any], doubts: Sequence[Problem]) -> Any:
        problems = Problems([*studio.lint(fields), *doubts])
        try:
            estimate = studio.price(fields)
        except RequestError as exc:
            return Problems(dict.fromkeys([*exc.problems, *problems]))
        display(problems)
        print(" · ".join([str(estimate), *([f"{estimate.seconds} s"] if estimate.seconds else []), estimate.origin]))
        return None

    def _asked(self, studio: Studio, line: str) -> Any:
        match read_question(line):
            case "", _:
                print(_usage())
                return None
            case "log", filters:
                return studio.log(**filters)
            case "spending", by:
                return studio.spending(**by)
            case verb, _:
                return getattr(studio, verb)()


def _begun(studio: Studio, request: Request, order: Ordered) -> Job | Jobs:
    if order.preview:
        request = request.model_copy(update={"num_generations": 1})
    jobs = studio.start(request, "preview" if order.preview else "result", tags=order.tags)
    return jobs[0] if len(jobs) == 1 else studio.gather(jobs)


def _elements(studio: Studio, order: Ordered) -> dict[str, Any]:
    """Return the cell's elements: kept ones by their names, new ones from `front.png,side.png`."""
    given = order.fields.get("elements")
    if given is None:
        return {}
    problems, elements = [], []
    for number, one in enumerate(given):
        try:
            elements.append(_element(studio, one) if isinstance(one, str) else one)
        except NotSaved as exc:
            problems.append(
                error(("elements", number), str(exc), "keep it, or give pictures: element=front.png,side.png")
            )
    if problems:
        raise RequestError(problems)
    return {"elements": elements}


def _element(studio: Studio, said: str) -> Any:
    front, *more = said.split(",")
    if more or "." in said or "/" in said:
        return {"frontal_image_url": front, "reference_image_urls": more}
    return studio.elements[said]


def _usage() -> str:
    options = dict.fromkeys(option_names())
    flags = "\n".join(f"  {flag:<10} {words}" for flag, words in FLAGS.items())
    return f"{KlingMagics.kling.__doc__}\nOptions: {', '.join(f'{name}=' for name in options)}\n{flags}"
