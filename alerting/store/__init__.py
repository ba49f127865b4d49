"""Our own database: points, verdicts, states, incidents, groups, outbox."""
