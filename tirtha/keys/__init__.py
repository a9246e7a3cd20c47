"""API keys: what is kept of them, who shows one, and how they are made and revoked.

`authentication` says who calls, for every surface; `administration` makes, lists and revokes keys; `store` is the table.
"""
