"""Regenerates what the docs show: JSON Schemas, a contact sheet, the demo's report and desk.

Run by `make docs`. The screenshots need Chromium and a finished demo (`make demo`).
"""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RUN = DOCS.parent / "runs" / "digits-demo"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOTS = {"report.png": (1280, 1080), "report-phone.png": (390, 1080)}
DESK_SHOTS = {"desk.png": (1280, 900)}
COLOURS = 128  # of a screenshot: text stays crisp and the file small


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
    """Takes the pictures that the README shows: the report, and the desk at its first example."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not (RUN / "findings.json").exists():
        print("no screenshots: they need Chromium and runs/digits-demo (make demo)")
        return
    from playwright.sync_api import sync_playwright

    from reports import write_html

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        scratch = Path(name) / RUN.name  # the run itself is left as it is
        scratch.mkdir()
        for part in ("findings.json", "exemplars.parquet", "manifest.json", "run.json"):
            shutil.copy(RUN / part, scratch / part)
        shutil.copytree(RUN / "evidence", scratch / "evidence")
        _shoot(chromium, write_html(scratch).as_uri(), SHOTS)
        with _desk(scratch) as link:
            _shoot(chromium, link, DESK_SHOTS)
        chromium.close()


def _shoot(chromium: Any, link: str, shots: dict[str, tuple[int, int]]) -> None:
    from PIL import Image

    context = chromium.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(link)  # the desk's link lets in once, and a cookie from then on
    for name, (width, height) in shots.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("window.scrollTo(0, 0)")
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        image.quantize(COLOURS).save(DOCS / name, optimize=True)
        print(f"{DOCS / name} written")
    context.close()


@contextmanager
def _desk(run: Path) -> Iterator[str]:
    """The review desk on a run, and the link of a reviewer, as long as it is needed."""
    command = [sys.executable, "-u", "-m", "reports.cli", "review", str(run), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--reviewer", "Ada", "--seed", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            if found := re.match(r"Ada \(\w+\): (\S+)$", line):
                yield found[1]
                break
        else:
            raise SystemExit("the review desk did not start: see what it said above")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


if __name__ == "__main__":
    schemas()
    contact_sheet()
    screenshots()
