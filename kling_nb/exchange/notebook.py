"""A notebook for export: its cells, outputs and metadata without keys and signatures."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kling_nb.errors import ArgumentError, ExchangeError
from kling_nb.models.urls import printable, redact_secrets
from kling_nb.store.disk import unreadable


@dataclass(frozen=True)
class PublicNotebook:
    """A notebook's name, its text, and the number of places where a secret was removed."""

    name: str
    data: bytes
    removed: int

    @classmethod
    def of(cls, file: Path, keys: Collection[str] = ()) -> PublicNotebook:
        """Read a notebook and remove `keys` and what looks like a secret. Raises `ArgumentError` or `ExchangeError`."""
        if why := unreadable(file):
            raise ExchangeError(f"The notebook {str(file)!r} {why}.")
        try:
            notebook = json.loads(file.read_bytes())
        except OSError as exc:
            raise ExchangeError(f"The notebook {file} cannot be read: {exc.strerror or exc}.") from exc
        except (ValueError, RecursionError) as exc:
            raise ArgumentError(f"{file.name} is not a notebook (.ipynb).") from exc
        if not isinstance(notebook, dict) or "nbformat" not in notebook:
            raise ArgumentError(f"{file.name} is not a notebook (.ipynb).")
        redaction = _Redaction(keys)
        text = json.dumps(redaction.of(notebook), indent=1, ensure_ascii=False)
        return cls(printable(file.name), text.encode("utf-8", "backslashreplace") + b"\n", redaction.count)

    def __str__(self) -> str:
        places = f"{self.removed} place{'' if self.removed == 1 else 's'}"
        return f"the notebook {self.name}" + (f" (a secret was removed in {places})" if self.removed else "")


class _Redaction:
    """Redacts every text in a value, including the keys of its mappings, and counts them."""

    def __init__(self, keys: Collection[str]) -> None:
        self._keys, self.count = keys, 0

    def of(self, value: Any) -> Any:
        match value:
            case str():
                clean = redact_secrets(value, self._keys)
                self.count += clean != value
                return clean
            case list():
                return [self.of(one) for one in cast("list[Any]", value)]
            case dict():
                return {self.of(name): self.of(one) for name, one in cast("dict[str, Any]", value).items()}
            case _:
                return value
