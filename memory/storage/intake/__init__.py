"""What of a request is new: turns to remember, and conversations that are sent whole."""
