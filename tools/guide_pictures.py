#!/usr/bin/env python3
"""The pictures of the guide, taken of real runs on this machine: `python tools/guide_pictures.py [RUNS]`.

Runs mixtral-nano three times (a minute or two), writes the pages, and photographs parts of them with a headless
Chromium. RUNS keeps the runs, and what it holds already is not made again. A picture of more than 150 KB is refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs" / "guide" / "pictures"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.report.chromium import Browser  # noqa: E402

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
WIDTH = 1000
LARGEST_BYTES = 150_000
COMMANDS = (
    "bench --out run",
    "report run --html run.html",
    "bench --scenario server --mode performance --target-qps 60 --min-duration 10s --no-submit --out server",
    "report server --html server.html",
    "bench --batch 8 --no-submit --out smaller",
    "compare run smaller --fail-if 'tokens_per_s < 0.97x' --html compare.html",
)
PICTURES = (
    ("report", "run", "article", 850),
    ("server", "server", "section:nth-of-type(2)", 690),
    ("compare", "compare", "main", 1060),
)
"""(picture, page, element, most pixels of its height)"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runs = Path(sys.argv[1] if len(sys.argv) > 1 else scratch).absolute()
        runs.mkdir(parents=True, exist_ok=True)
        for command in COMMANDS:
            if not (runs / command.split()[-1]).exists():
                line = f"{sys.executable} -m assay {command}"
                subprocess.run(line, shell=True, cwd=runs, env=ENV, check="compare" not in command, stdout=2)
        with Browser() as browser:
            for picture, page, element, height in PICTURES:
                path = TO / f"{picture}.png"
                path.write_bytes(taken(browser, runs / f"{page}.html", element, height))
                print(f"{path}: {path.stat().st_size:,} bytes")
                if path.stat().st_size > LARGEST_BYTES:
                    sys.exit(f"{path} is larger than {LARGEST_BYTES:,} bytes: show less of the page")


def taken(browser: Browser, page: Path, element: str, height: int) -> bytes:
    """PNG of an element, cut off below."""
    browser.open(page, WIDTH)
    browser.value(
        f"document.querySelector('{element}').style.cssText += ';overflow:hidden;max-height:{height}px'"
    )
    return browser.picture(element)


if __name__ == "__main__":
    main()
