"""Makers and fakes that tests of several folders share."""
