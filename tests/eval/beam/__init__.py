"""Tests of BEAM's reader."""
