"""Plain facts: sentences of one fact each about people, and what is asked about them, in eleven languages; all made here."""
