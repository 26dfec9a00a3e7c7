"""Requests, prices and records: pure values and rules, with no network, clock or storage."""
