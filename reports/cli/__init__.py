"""The command line: `prune-audit`."""

from __future__ import annotations

from reports.cli.app import main

__all__ = ["main"]
