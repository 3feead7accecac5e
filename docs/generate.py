"""Regenerates what the docs show: JSON Schemas, a contact sheet, the demo's report.

Run by `make docs`. The screenshots need Chromium and a finished demo (`make demo`).
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
REPORT = DOCS.parent / "runs" / "digits-demo" / "report.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOTS = {"report.png": (1280, 1080), "report-phone.png": (390, 1080)}


def schemas() -> None:
    """Writes the schemas of a config and of findings.json."""
    from audit import Config
    from audit.judgement import comparison_schema
    from audit.judgement.document import findings_schema

    for name, schema in (
        ("config.schema.json", Config.model_json_schema(by_alias=True)),
        ("findings.schema.json", findings_schema()),
        ("comparison.schema.json", comparison_schema()),
    ):
        (DOCS / name).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
        print(f"{DOCS / name} written")


def contact_sheet() -> None:
    """Draws ImageNet-C's nineteen on scikit-image's photographs, all free to use."""
    sys.path.insert(0, str(DOCS.parent))
    from benchmarks.shown.pictures import photographs
    from corruptions import SETS, contact_sheet

    names = (*SETS["imagenet-c"], *SETS["imagenet-c-extra"])
    contact_sheet(photographs(224, 7), names, side=96).save(DOCS / "corruptions.jpg", quality=85)
    print(f"{DOCS / 'corruptions.jpg'} written")


def screenshots() -> None:
    """Takes the pictures that the README shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not REPORT.exists():
        print("no screenshots: they need Chromium and runs/digits-demo/report.html (make demo)")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (width, height) in SHOTS.items():
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(REPORT.as_uri())
            page.screenshot(path=DOCS / name)
            print(f"{DOCS / name} written")
        chromium.close()


if __name__ == "__main__":
    schemas()
    contact_sheet()
    screenshots()
