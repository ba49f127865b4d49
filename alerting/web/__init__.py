"""Pages and health endpoints."""
