"""Metrics by group in the shape that Fairlearn's users know."""
