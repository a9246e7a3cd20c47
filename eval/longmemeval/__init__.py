"""LongMemEval: histories of a hundred thousand tokens."""
