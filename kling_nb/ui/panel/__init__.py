"""The panel that builds a request."""
