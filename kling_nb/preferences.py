"""`kn.options`: what a user sets once; kept in the log, so that it holds next week and in every kernel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kling_nb.errors import KlingError, LogError, SettingsError
from kling_nb.models.budget import dollars
from kling_nb.models.frontend import CAP, Embed
from kling_nb.render.formatting import format_money
from kling_nb.render.tables import OptionRow, options_html, options_text
from kling_nb.store.log import Log

_KIND = "option"
_EMBEDDING = f"a cell holds its clip itself; auto: where links lead nowhere (Colab, Voila), up to {CAP:g} MB an output"


def embed_of(store: Log) -> Embed:
    """Return what a log's user has said about embedding. Raises `SettingsError` when it cannot be read."""
    try:
        return Embed.parse(store.load_value(_KIND, "embed"))
    except LogError as exc:
        raise SettingsError(f"kn.options.embed cannot be read: {exc}") from exc


class Options:
    """The options of one log. Setting a name that there is not raises `KlingError`."""

    __slots__ = ("_store",)

    def __init__(self, store: Log) -> None:
        object.__setattr__(self, "_store", store)

    @property
    def confirm_above(self) -> Decimal | None:
        """Dollars: a press of Generate that costs more is asked about once more; None (the default) never asks."""
        kept = self._kept("confirm_above")
        return None if kept is None else Decimal(kept)

    @confirm_above.setter
    def confirm_above(self, value: Any) -> None:
        amount = dollars(value)
        if amount is None:
            self._store.delete_value(_KIND, "confirm_above")
        else:
            self._store.save_value(_KIND, "confirm_above", str(amount))

    @property
    def embed(self) -> str | float:
        """When a cell holds a clip itself instead of a link to it: `"auto"` (the default: where links cannot work),
        `"never"`, `"always"`, or a number: always, up to so many megabytes an output.

        Raises `SettingsError` for anything else, also where the log has it.
        """
        return embed_of(self._store).value

    @embed.setter
    def embed(self, value: Any) -> None:
        chosen = Embed.parse(value)
        if chosen == Embed():
            self._store.delete_value(_KIND, "embed")
        else:
            self._store.save_value(_KIND, "embed", chosen.value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(getattr(type(self), name, None), property):
            raise KlingError(f"there is no option {name!r}: there are {', '.join(row.name for row in self.rows())}")
        object.__setattr__(self, name, value)

    def rows(self) -> list[OptionRow]:
        """Return each option with its value in words and what it means."""
        above = self.confirm_above
        said = "never" if above is None else format_money(above)
        embed = embed_of(self._store)
        return [
            OptionRow("confirm_above", said, "the panel asks once more before it spends more than this at once"),
            OptionRow("embed", f"up to {embed.cap:g} MB" if embed.mode == "always" else embed.mode, _EMBEDDING),
        ]

    def _kept(self, name: str) -> Any:
        return self._store.load_value(_KIND, name)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": options_html(self.rows()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return options_text(self.rows())
