"""The truth in SQL: schema, migrations, statements, the turn store."""
