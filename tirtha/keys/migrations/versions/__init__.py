"""The revisions of the table of keys."""
