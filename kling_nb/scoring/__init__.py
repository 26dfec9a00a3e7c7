"""Scorers, blind votes and rankings. `kn.scoring.scorer` adds a scorer; `kn.scoring.scorers` lists them all."""

from kling_nb.scoring.measure import Measure
from kling_nb.scoring.registry import Scorer, scorer, scorers

__all__ = ["Measure", "Scorer", "scorer", "scorers"]
