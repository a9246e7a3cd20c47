"""What can be seen of the service while it works: metrics, log lines and traces. None of it holds a word that was said."""
