"""What a request wants: its subject, work or a fact, and what is to be minded always."""
