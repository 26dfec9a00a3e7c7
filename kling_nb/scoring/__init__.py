"""Scorers, blind votes and rankings."""
