"""What `text.yaml` names: where its texts come from, and how a model gets numbers of a text."""

import re
import zlib

import pandas as pd
import torch
from text_table import sentences

FEATURES = 1024


def texts() -> pd.DataFrame:
    """First sentences of Python's own documentation, which package each is of, and its length."""
    return sentences().rename(columns={"group_length": "length"})[["text", "label", "length"]]


def hashed_words(texts: list[str]) -> torch.Tensor:
    """Which words a text has: float32 [N, 1024], a column for each remainder of a word's CRC."""
    rows = torch.zeros(len(texts), FEATURES)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.lower()):
            rows[row, zlib.crc32(word.encode()) % FEATURES] = 1.0
    return rows
