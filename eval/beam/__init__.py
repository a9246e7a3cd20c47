"""BEAM: a user and an assistant over months."""
