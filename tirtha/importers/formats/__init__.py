"""One module a product: which JSON is its export, and what was said in it."""
