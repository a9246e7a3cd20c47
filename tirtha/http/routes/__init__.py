"""The routes by resource: each translates between HTTP and one operation, and holds no decision of its own."""
