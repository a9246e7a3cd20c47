"""The command line: thin shells over the HTTP contract, and the commands of an operator. `app` is all of it."""

from tirtha.cli.app import app

__all__ = ["app"]
