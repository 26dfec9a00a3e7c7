"""Makers and stand-ins that tests of several folders share."""
