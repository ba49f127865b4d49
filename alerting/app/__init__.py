"""The composition root: everything that commands, pages and the daemon do, as functions of one object."""

from alerting.app.application import App, BadConfig, open_app

__all__ = ["App", "BadConfig", "open_app"]
