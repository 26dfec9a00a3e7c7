"""Export and import: crates, reports, JSONL, Parquet, and the record inside an MP4."""
