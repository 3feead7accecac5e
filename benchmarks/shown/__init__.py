"""Times the image corruptions beside their peers: python -m benchmarks.shown."""
