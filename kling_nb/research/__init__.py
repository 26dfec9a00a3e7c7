"""Experiments on top of the engine and the log: sweeps that pay once, and what they cost."""
