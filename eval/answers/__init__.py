"""Answers to labelled questions, of any set: which systems answer, how answers are scored, what a run says and leaves to fit."""
