"""Widgets: the panel, the gallery, the comparison, the vote, progress rows and the outlet of finished cards.

Plain values and callables come in; nothing here imports the hub, the store or the engine.
"""
