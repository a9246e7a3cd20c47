"""Tiers: solvers with a price. `extractive` needs no model; the others call one over the OpenAI-compatible protocol."""
