"""Memories that leave one place and come to another: what is exported of a tenant, and what is imported into one."""
