"""What a user wants always: recognised when it is said, replaced by what he says later, and brought to requests for work."""
