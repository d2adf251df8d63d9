"""From log-mel slices to slice vectors to track vectors."""
