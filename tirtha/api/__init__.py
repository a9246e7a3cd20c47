"""The HTTP surface: schemas at the edge, routes that translate and call the service, errors mapped in one table."""
