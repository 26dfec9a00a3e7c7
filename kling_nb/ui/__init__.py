"""What people see and touch in a notebook: the panel, the rows of progress, the place where finished cards go.

Plain values and callables come in; nothing here knows the hub, the log or the engine.
"""
