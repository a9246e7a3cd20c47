"""SWE-bench: patches in the official format."""
