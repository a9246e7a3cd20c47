"""The audit log: who changed what of whose memory, and when. Owns its tables; never holds a word that was remembered."""
