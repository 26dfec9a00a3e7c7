"""The built-in scorers. Their docstrings give what they measure, its range, its source, and what it leaves out."""
