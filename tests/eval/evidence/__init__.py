"""Tests of the evidence report."""
