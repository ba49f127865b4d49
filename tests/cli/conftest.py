from tests.app.world import app, changing, watched

__all__ = ["app", "changing", "watched"]
