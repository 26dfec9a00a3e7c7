"""The notebook around this kernel: its path and front end, links to files, and display."""
