"""Providers over the wire: requests, events, uploads and downloads. Async only; knows no log and no job."""
