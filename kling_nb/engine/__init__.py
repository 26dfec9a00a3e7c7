"""What carries a request to its end: jobs, their states, and one tracker for them all. Knows no widget, HTTP or SQL."""
