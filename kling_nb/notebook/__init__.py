"""Where we run: the notebook's path and front end, links to files, and display."""
