"""Pictures of a series beside what was expected of it: PNG for messages, text for terminals."""

from alerting.charts.curves import ChartError, spark
from alerting.charts.picture import png
from alerting.charts.terminal import terminal

__all__ = ["ChartError", "png", "spark", "terminal"]
