"""Numbers in, verdicts out: pure detectors without input or output, clock or randomness."""

from detectors.contract import ANOMALY, OK, UNKNOWN, Detector, Event, Explanation, Panel, Verdicts
from detectors.registry import load, names, type_of

__all__ = [
    "ANOMALY",
    "OK",
    "UNKNOWN",
    "Detector",
    "Event",
    "Explanation",
    "Panel",
    "Verdicts",
    "load",
    "names",
    "type_of",
]
