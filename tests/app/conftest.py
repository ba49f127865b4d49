from tests.app.world import app, own, watched

__all__ = ["app", "own", "watched"]
