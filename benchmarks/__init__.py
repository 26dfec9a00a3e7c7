"""Figures that a user would notice, each beside a baseline that was measured in the same run."""
