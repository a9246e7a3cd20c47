"""How long a request may take to come in: its head, and its body. The server library waits for either as long as it takes."""
