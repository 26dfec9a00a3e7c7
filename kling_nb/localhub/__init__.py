"""The local hub: a small server that speaks the hub's wire contract and answers with an animatic.

It imports nothing else of `kling_nb`: a model shared with the client would hide a mistake shared with the client.

    from kling_nb.localhub.serve import ensure

    base_url = ensure("/some/folder", speed=50)  # "http://127.0.0.1:54321"
"""

NAME = "kling_nb.localhub"
__version__ = "0.1.0"
