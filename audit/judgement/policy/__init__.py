"""Limits that a person states, and what these data can say of them."""
