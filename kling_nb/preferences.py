"""`kn.options`: a user's options, saved in the log, so that they apply in every kernel on it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kling_nb.errors import ArgumentError, LogError, SettingsError
from kling_nb.models.budget import dollars
from kling_nb.models.frontend import CAP, Embed
from kling_nb.models.price import format_money
from kling_nb.notebook.location import in_marimo
from kling_nb.store.log import Log

if TYPE_CHECKING:
    from kling_nb.render.tables import OptionRow

_KIND = "option"


def embed_of(store: Log) -> Embed:
    """Return the option `embed` of a log. Raises `SettingsError` if it cannot be read."""
    try:
        return Embed.parse(store.values.load(_KIND, "embed"))
    except LogError as exc:
        raise SettingsError(f"kn.options.embed cannot be read: {exc}") from exc


def reuses(store: Log) -> bool:
    """Return the option `reuse` of a log: whether a cell that runs again gets the jobs that it has started."""
    saved = store.values.load(_KIND, "reuse")
    return in_marimo() if saved is None else bool(saved)


class Options:
    """The options of one log. Setting an unknown one raises `ArgumentError`.

    Example:
        >>> kn.options.confirm_above = "5.00"
        >>> kn.options.embed = "never"
    """

    __slots__ = ("_store",)

    def __init__(self, store: Log) -> None:
        object.__setattr__(self, "_store", store)

    @property
    def confirm_above(self) -> Decimal | None:
        """The price in dollars above which Generate asks for confirmation; None (the default) for never."""
        saved = self._store.values.load(_KIND, "confirm_above")
        return None if saved is None else Decimal(saved)

    @confirm_above.setter
    def confirm_above(self, value: Any) -> None:
        amount = dollars(value)
        self._save("confirm_above", None if amount is None else str(amount))

    @property
    def embed(self) -> str | float:
        """Whether cells contain clips instead of links to them.

        `"auto"` (the default) embeds clips where links do not work, `"always"` everywhere, `"never"` nowhere. A number
        embeds everywhere, up to this many megabytes in one output. Raises `SettingsError` for any other value.
        """
        return embed_of(self._store).value

    @embed.setter
    def embed(self, value: Any) -> None:
        chosen = Embed.parse(value)
        self._save("embed", None if chosen == Embed() else chosen.value)

    @property
    def reuse(self) -> bool | str:
        """Whether a cell that runs again with the same request gets the job that it has started, and pays nothing.

        `"auto"` (the default) is True in marimo, which runs cells by itself, and False in Jupyter. It holds for one
        session of a notebook. A job that failed or was cancelled is started again.
        """
        saved = self._store.values.load(_KIND, "reuse")
        return "auto" if saved is None else bool(saved)

    @reuse.setter
    def reuse(self, value: Any) -> None:
        if value not in (True, False, None, "auto"):
            raise SettingsError(f"reuse must be True, False or 'auto', got {value!r}.")
        self._save("reuse", None if value in (None, "auto") else bool(value))

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(getattr(type(self), name, None), property):
            raise ArgumentError(f"Unknown option {name!r}. The options are 'confirm_above', 'embed' and 'reuse'.")
        object.__setattr__(self, name, value)

    def rows(self) -> list[OptionRow]:
        """Return each option with its value as text and its meaning."""
        from kling_nb.render.tables import OptionRow

        above, embed = self.confirm_above, embed_of(self._store)
        return [
            OptionRow(
                "confirm_above",
                "never" if above is None else format_money(above),
                "the price above which the panel asks for confirmation before it generates",
            ),
            OptionRow(
                "embed",
                f"up to {embed.cap:g} MB" if embed.mode == "always" else embed.mode,
                f"embed clips in cells; auto: where links do not work (Colab, Voila), up to {CAP:g} MB in one output",
            ),
            OptionRow(
                "reuse",
                self.reuse if isinstance(self.reuse, str) else "on" if self.reuse else "off",
                "a cell that runs again with the same request gets its job and pays nothing; auto: in marimo",
            ),
        ]

    def _save(self, name: str, value: Any) -> None:
        if value is None:
            self._store.values.delete(_KIND, name)
        else:
            self._store.values.save(_KIND, name, value)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from kling_nb.render.tables import options_html

        return {"text/html": options_html(self.rows()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        from kling_nb.render.tables import options_text

        return options_text(self.rows())
