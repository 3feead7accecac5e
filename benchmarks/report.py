"""How large the report is and how soon it can be used: the demo's and one of 1,000 classes.

    python benchmarks/report.py [RUN] [--quick]

RUN is a finished run of the demo; without it only the made-up audits are measured. Seconds are from
the start of loading the file to a script that sorted a table, in headless Chromium: the median of
five loads, and the longest. --quick loads once and writes no results.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from reports import write_html
from tests.reports import sample

OUT = Path(__file__).parent / "results" / "report.json"
REPEATS = 5
QUICK = "--quick"
USABLE = 1.0  # second from loading to a table that was sorted
CLASSES, METHODS = 1000, ("magnitude", "movement", "obd", "random", "taylor")  # × 6 sparsities
BUDGET = {"demo": 1_500_000, "1,000 classes × 30 models": 6_000_000}


def main() -> None:
    """Measures, prints and writes the results."""
    with tempfile.TemporaryDirectory() as name:
        folders = dict(_folders(Path(name)))
        results = {key: _measured(folder, Path(name)) for key, folder in folders.items()}
    for key, budget in BUDGET.items():
        if key in results:
            results[key]["budget_bytes"] = budget
    repeats = 1 if QUICK in sys.argv else REPEATS
    text = json.dumps({"cores": os.cpu_count(), "repeats": repeats, "reports": results}, indent=1)
    if QUICK not in sys.argv:
        OUT.write_text(text + "\n")
    print(text)
    over = [key for key, each in results.items() if not _within(each)]
    if over:
        raise SystemExit(f"over budget: {', '.join(over)}")


def _within(result: dict[str, Any]) -> bool:
    """Whether a report keeps to its bytes and its second."""
    slow = result["usable_seconds"] is not None and result["usable_seconds"] >= USABLE
    return not slow and result["bytes"] <= result.get("budget_bytes", result["bytes"])


def _folders(scratch: Path) -> list[tuple[str, Path]]:
    made = [("made-up, as large as the demo", sample.run_folder(scratch / "small"))]
    runs = [word for word in sys.argv[1:] if word != QUICK]
    if runs:
        made.append(("demo", Path(runs[0])))
    classes = tuple(f"class {place:04d}" for place in range(CLASSES))
    findings = sample.made(classes=classes, methods=METHODS)
    made.append(("1,000 classes × 30 models", sample.run_folder(scratch / "large", findings)))
    return made


def _measured(folder: Path, scratch: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    page = write_html(folder, scratch / f"{folder.name}.html")
    seconds = time.perf_counter() - begun
    findings = json.loads((folder / "findings.json").read_text())["findings"]
    return {
        "bytes": page.stat().st_size,
        "findings": len(findings),
        "rendering_seconds": round(seconds, 2),
        **_usable(page),
    }


def _usable(page: Path) -> dict[str, float | None]:
    """Seconds until the page is loaded and a table sorted; None without a browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return {"usable_seconds": None, "longest_seconds": None}
    from playwright.sync_api import sync_playwright

    took = []
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(1 if QUICK in sys.argv else REPEATS):
            tab = browser.new_page()
            begun = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="load")
            tab.evaluate("document.querySelector('#classes-claims thead button').click()")
            tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
            took.append(time.perf_counter() - begun)
            tab.close()
        browser.close()
    middle = sorted(took)[len(took) // 2]
    return {"usable_seconds": round(middle, 3), "longest_seconds": round(max(took), 3)}


if __name__ == "__main__":
    main()
