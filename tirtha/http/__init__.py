"""The HTTP surface: schemas at the edge, routes that translate and call an operation, errors mapped in one table."""
