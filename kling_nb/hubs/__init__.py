"""The hub as it is over the wire: requests, events, and files to and from it. Async only; knows no log and no job."""
