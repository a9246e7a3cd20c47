"""How the learned parts of recall were made: scripts to run once, whose results ship with `memory`."""
