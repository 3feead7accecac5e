"""Figures: drawings as inline SVG that follow the page's theme, each with a text alternative."""
