"""The built-in scorers. Each says in its docstring what it measures, its range, its source, and what it does not."""
