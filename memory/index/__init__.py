"""The index over the turns: passages in LanceDB, scopes in memory, BM25, and the worker that keeps it up to date."""
