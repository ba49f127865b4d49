"""Pictures of a series beside what was expected of it: PNG for messages, text for terminals."""

from alerting.charts.curves import ChartError, Curves, curves, spark
from alerting.charts.multiples import MOST, Small, small_multiples
from alerting.charts.picture import png
from alerting.charts.terminal import terminal

__all__ = ["MOST", "ChartError", "Curves", "Small", "curves", "png", "small_multiples", "spark", "terminal"]
