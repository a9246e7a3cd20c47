"""From settings to an open service: database, tiers, cascade."""
