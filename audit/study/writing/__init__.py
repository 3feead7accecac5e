"""Writes corrupted copies of a data set: what is read, how it is laid out, what is told of it."""

from __future__ import annotations

from audit.study.writing.copies import Request, Written, write_copies
from audit.study.writing.preview import write_preview

__all__ = ["Request", "Written", "write_copies", "write_preview"]
