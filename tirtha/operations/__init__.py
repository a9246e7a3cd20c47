"""What the service can do: one file an operation; each takes the caller first."""
