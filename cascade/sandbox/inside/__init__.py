"""What runs inside a cell: standard library only, started by path and never imported by the service, except for `plain`."""
