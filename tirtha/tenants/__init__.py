"""Tenants: who they are, what each may do and keep, how fast, and for how much money a day."""
