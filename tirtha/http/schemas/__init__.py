"""What goes over HTTP: requests and responses as pydantic models."""
