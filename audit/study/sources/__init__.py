"""Data sources: whatever a config points to becomes parts as arrays."""

from audit.study.sources.encoding import Encoding
from audit.study.sources.load import SOURCES, load_source
from audit.study.sources.parts import Part, Source, Vocabulary

__all__ = ["SOURCES", "Encoding", "Part", "Source", "Vocabulary", "load_source"]
