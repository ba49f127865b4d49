from tests.app.world import app, watched

__all__ = ["app", "watched"]
