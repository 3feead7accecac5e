"""Severity constants, one file for each size of image."""
