"""From a question to ranked evidence: candidates, features, learned re-scoring, multi-hop expansion, supersession."""
