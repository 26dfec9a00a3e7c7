"""Scorers, blind votes and rankings. `kn.scoring.scorer` adds a scorer of your own; `kn.scoring.scorers` lists them."""

from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import Scorer, scorer, scorers

__all__ = ["Measure", "Scorer", "scorer", "scorers"]
