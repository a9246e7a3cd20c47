"""What the cascade keeps in the database that is handed in: decisions, cached answers, shadow answers."""
