"""Text classifiers made elsewhere, audited from a table of what they said; no download, no torch.

The texts are first sentences of Python's own documentation strings, the label is which package one
comes from, and the models are scikit-learn's logistic regressions on words, pruned by setting their
smallest weights to zero. How many texts there are depends on the version of Python.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from audit import Plan, audit_table
from audit.evidence import write_examples
from reports import write_html

PACKAGES = ("asyncio", "email", "importlib", "multiprocessing", "tkinter", "unittest")
SPARSITIES = (0.5, 0.9)
SEEDS = 5
OUT = Path("runs/text")


def sentences() -> pd.DataFrame:
    """One row per distinct text: `text`, `label`, `split` and the group `group_length`."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for module in modules(package):
            for _, one in inspect.getmembers(module):
                owner = str(getattr(one, "__module__", "")).partition(".")[0]
                text = (inspect.getdoc(one) or "").partition("\n")[0] if owner == package else ""
                if len(text) > 15:
                    found.setdefault(text, package)
    frame = pd.DataFrame(sorted(found.items()), columns=["text", "label"])
    length = frame["text"].str.len()
    frame["group_length"] = np.where(length < length.median(), "short", "long")
    draw = np.random.default_rng(0).random(len(frame))
    frame["split"] = np.where(draw < 0.5, "train", "test")
    return frame.assign(example=np.arange(len(frame)))


def modules(package: str) -> list[object]:
    """A package and those of its modules that can be imported here."""
    try:
        top = importlib.import_module(package)
    except ImportError:  # tkinter is not everywhere
        return []
    found = [top]
    for info in pkgutil.iter_modules(top.__path__, f"{package}."):
        if not info.name.endswith(("__main__", "_windows", "windows_events", "windows_utils")):
            try:
                found.append(importlib.import_module(info.name))
            except ImportError:
                continue
    return found


def said(frame: pd.DataFrame) -> pd.DataFrame:
    """What every model says of every text, as a flat table."""
    train, rows = frame[frame["split"] == "train"], []
    words = CountVectorizer(binary=True).fit(train["text"])
    shown = words.transform(frame["text"])
    for seed in range(SEEDS):
        drawn = train.sample(frac=1.0, replace=True, random_state=seed)  # each parent its own draw
        model = LogisticRegression(max_iter=500).fit(words.transform(drawn["text"]), drawn["label"])
        dense = model.coef_.copy()
        for sparsity in (0.0, *SPARSITIES):
            smallest = np.abs(dense) < np.quantile(np.abs(dense), sparsity)
            model.coef_ = np.where(smallest, 0.0, dense)
            probabilities = model.predict_proba(shown)
            rows.append(
                frame.assign(
                    model=f"words-{seed}" if not sparsity else f"magnitude-{sparsity:g}-{seed}",
                    parent=f"words-{seed}" if sparsity else None,
                    method="magnitude" if sparsity else None,
                    sparsity=sparsity,
                    seed=seed,
                    predicted=model.classes_[probabilities.argmax(axis=1)],
                    confidence=probabilities.max(axis=1),
                )
            )
    return pd.concat(rows, ignore_index=True)


def main() -> None:
    """Writes the table, audits it, and writes the report, which shows the texts themselves."""
    frame = sentences()
    table = said(frame)
    OUT.mkdir(parents=True, exist_ok=True)
    table.to_parquet(OUT / "table.parquet", index=False)
    findings = audit_table(
        table.drop(columns="text"), Plan(minimum_n=20), {"max_accuracy_drop": 0.02}
    )
    findings.write(OUT)
    write_examples(OUT / "evidence", frame, sorted(frame["label"].unique()))
    print(findings.frame().query("measure == 'accuracy'")[["sparsity", "parent", "pruned", "n"]])
    print(write_html(OUT))


if __name__ == "__main__":
    main()
