"""Labelled real series that the demo replays."""
