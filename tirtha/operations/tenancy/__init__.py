"""What is done with tenants as a whole: managing them, deleting one, and removing what they keep for too long."""
