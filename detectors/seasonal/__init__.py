"""Seasonal decomposition that learns online and says how rare a reading is for its own series."""

from detectors.seasonal.detector import Seasonal

__all__ = ["Seasonal"]
