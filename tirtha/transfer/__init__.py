"""Exports of Tirtha as a file: NDJSON with a header and a checksum, the same bytes for the same memory; written and read."""
