"""`PublicNotebook`: a notebook as it may be handed on: its cells, outputs and metadata without keys and signatures."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kling_nb.errors import LogError
from kling_nb.models.urls import redact_secrets


@dataclass(frozen=True)
class PublicNotebook:
    """A notebook's name, its text, and in how many places of it a secret was taken out."""

    name: str
    data: bytes
    taken: int

    @classmethod
    def of(cls, file: Path, keys: Collection[str] = ()) -> PublicNotebook:
        """Read a notebook and take out `keys` and what looks like a secret. Raises `LogError` for what is none."""
        try:
            notebook = json.loads(file.read_bytes())
        except OSError as exc:
            raise LogError(f"The notebook {file} cannot be read: {exc.strerror or exc}.") from exc
        except (ValueError, RecursionError) as exc:
            raise LogError(f"{file.name} is no notebook: give an .ipynb file.") from exc
        if not isinstance(notebook, dict) or "nbformat" not in notebook:
            raise LogError(f"{file.name} is no notebook: give an .ipynb file.")
        cleaning = _Cleaning(keys)
        text = json.dumps(cleaning.of(notebook), indent=1, ensure_ascii=False)
        return cls(file.name, text.encode("utf-8", "backslashreplace") + b"\n", cleaning.count)

    def __str__(self) -> str:
        places = f"{self.taken} place{'' if self.taken == 1 else 's'}"
        return f"the notebook {self.name}" + (f" (a secret was taken out in {places})" if self.taken else "")


class _Cleaning:
    """Every text in a value, the names in its mappings too."""

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
