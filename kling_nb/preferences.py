"""`kn.options`: a user's options, saved in the log, so that they apply in every kernel on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kling_nb.errors import ArgumentError, LogError, SettingsError
from kling_nb.models.budget import dollars
from kling_nb.models.frontend import CAP, Embed
from kling_nb.models.price import format_money
from kling_nb.render.tables import OptionRow, options_html, options_text
from kling_nb.store.log import Log

_KIND = "option"


def embed_of(store: Log) -> Embed:
    """Return the option `embed` of a log. Raises `SettingsError` if it cannot be read."""
    try:
        return Embed.parse(store.values.load(_KIND, "embed"))
    except LogError as exc:
        raise SettingsError(f"kn.options.embed cannot be read: {exc}") from exc


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
        embeds everywhere, up to so many megabytes in one output. Raises `SettingsError` for any other value.
        """
        return embed_of(self._store).value

    @embed.setter
    def embed(self, value: Any) -> None:
        chosen = Embed.parse(value)
        self._save("embed", None if chosen == Embed() else chosen.value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(getattr(type(self), name, None), property):
            raise ArgumentError(f"Unknown option {name!r}. The options are 'confirm_above' and 'embed'.")
        object.__setattr__(self, name, value)

    def rows(self) -> list[OptionRow]:
        """Return each option with its value as text and its meaning."""
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
        ]

    def _save(self, name: str, value: Any) -> None:
        if value is None:
            self._store.values.delete(_KIND, name)
        else:
            self._store.values.save(_KIND, name, value)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": options_html(self.rows()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return options_text(self.rows())
