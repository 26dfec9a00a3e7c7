"""The stand-in for fal.ai: its queue, uploads, catalogue, prices and history, and the same animatics.

One server takes the place of all of fal's hosts. Each is a path of the base URL, and may be left out where the rest of
the path tells the host (all but `fal.run`); media is at a second port, so that a key sent there can be noticed.

    fal                                      stand-in
    https://queue.fal.run/{endpoint_id}      {base}/queue.fal.run/{endpoint_id}   or {base}/{endpoint_id}
    https://fal.run/{endpoint_id}            {base}/fal.run/{endpoint_id}
    https://rest.fal.ai/storage/...          {base}/rest.fal.ai/storage/...       or {base}/storage/...
    https://api.fal.ai/v1/...                {base}/api.fal.ai/v1/...             or {base}/v1/...
    https://fal.ai/api/openapi/...           {base}/fal.ai/api/openapi/...        or {base}/api/openapi/...
    https://v3.fal.media/files/...           {media}/files/...; `media_url` in {base}/_local/health

It imports nothing of the client, and follows docs/contracts/fal-api.md alone.
"""
