"""The gallery of a log's clips."""
