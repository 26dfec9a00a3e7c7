"""A request as code that runs on its own, and pasted code as a request.

Everything here is pure: code is text. Nothing is run, fetched or opened. Keys are never part of it: written code reads
`OXEN_API_KEY` or `FAL_KEY` when it runs, and a key in pasted code is left out.
"""
