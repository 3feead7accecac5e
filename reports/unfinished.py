"""What a run folder lacks before there is anything to report, and what to do about it."""

from __future__ import annotations

from pathlib import Path

_PARTS = ("population", "evidence", "run.json")


def unfinished(folder: Path) -> str:
    """One sentence: what is there, what is missing, what to do next."""
    if not folder.is_dir():
        return f"There is no findings.json in {folder}, and no such folder: name a run folder."
    there = [name for name in _PARTS if (folder / name).exists()]
    if not there:
        return f"There is no findings.json in {folder}: run or audit something first."
    parts = len(list((folder / "evidence" / "predictions").glob("*/*.parquet")))
    models = len(list((folder / "population").glob("*.safetensors")))
    judged = f", and `prune-audit audit {folder}` judges what is there" if parts else ""
    return (
        f"There is no findings.json in {folder}: the run is unfinished ({models} models and "
        f"{parts} parts of predictions are there); `prune-audit run CONFIG` goes on from here"
        f"{judged}."
    )
