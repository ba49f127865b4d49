"""Slack: one root message per group, edited in place; what happened stands in its thread."""

from notifiers.slack.notifier import Slack

__all__ = ["Slack"]
