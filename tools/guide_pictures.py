#!/usr/bin/env python3
"""The pictures of the guide, taken of real runs on this machine: `python tools/guide_pictures.py [RUNS]`.

Runs mixtral-nano twice, the echo SUT twice, and a load on the mock server (three or four minutes), writes the pages,
and photographs parts of them with a headless Chromium. RUNS keeps the runs, and what it holds already is not made
again. A picture of more than 200 KB is refused.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs" / "guide" / "pictures"
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.mock_server import mock  # noqa: E402
from tests.report.chromium import Browser  # noqa: E402

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
WIDTH = 1000
LARGEST_BYTES = 200_000
COMMANDS = (
    "bench --out run",
    "report run --html run.html",
    "bench --sut echo --pace 40 --samples 80 --scenario server --mode performance --target-qps 200 --min-duration 1s "
    "--no-submit --out late",
    "report late --html late.html",
    "bench --batch 8 --no-submit --out new",
    "compare run new --fail-if 'tokens_per_s < 0.9x' --html compare.html",
    "answers run --wrong --html answers.html",
    "history . --html history.html",
    "tune mixtral-nano --sut echo --pace 100 --min-duration 10s --official --mode performance --out tune "
    "--html tune.html",
)
LOAD = (
    "load mixtral-nano --url {} --concurrency 1,4,16,64 --rate 20,60,200 --duration 5s --goodput ttft:100ms,tpot:10ms "
    "--out load --html load.html"
)
SERVER = {
    "slots": 24,
    "tokens": 40,
    "ttft_ms": 20,
    "tpot_ms": 2,
    "tpot_ms_per_stream": 0.3,
    "vocabulary": 1506,
}
"""What the load is put on."""
PLOT = "section:nth-of-type(2) figure:nth-of-type({})"
PICTURES = (
    ("report", "run", "h1", PLOT.format(2)),
    ("server", "late", PLOT.format(1), PLOT.format(7)),
    ("compare", "compare", "h1", "section:last-of-type"),
    ("answers", "answers", "h1", ".answers > :nth-child(2)"),
    ("history", "history", "h1", "body"),
    ("tune", "tune", "h1", "section:last-of-type"),
    ("load", "load", "section:nth-of-type(2)", "section:nth-of-type(2)"),
)
"""(picture, page, what it begins with, what it ends with)"""
MARGIN, MOST_HEIGHT = 4, 1_500
"""Pixels."""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runs = Path(sys.argv[1] if len(sys.argv) > 1 else scratch).absolute()
        runs.mkdir(parents=True, exist_ok=True)
        for command in COMMANDS:
            make(runs, command)
        with mock(**SERVER) as server:
            make(runs, LOAD.format(server.text))
        with Browser() as browser:
            for picture, page, first, last in PICTURES:
                path = TO / f"{picture}.png"
                path.write_bytes(taken(browser, runs / f"{page}.html", first, last))
                print(f"{path}: {path.stat().st_size:,} bytes")
                if path.stat().st_size > LARGEST_BYTES:
                    sys.exit(f"{path} is larger than {LARGEST_BYTES:,} bytes: show less of the page")


def make(runs: Path, command: str) -> None:
    """What the last word of the command names, unless it is there."""
    if not (runs / command.split()[-1]).exists():
        line = f"{sys.executable} -m assay {command}"
        subprocess.run(line, shell=True, cwd=runs, env=ENV, check="compare" not in command, stdout=2)


def taken(browser: Browser, page: Path, first: str, last: str) -> bytes:
    """PNG of a page from the top of one element to the bottom of another, with a margin."""
    browser.open(page, WIDTH)
    top, bottom = browser.value(
        f"[document.querySelector('{first}').getBoundingClientRect().top + scrollY,"
        f" document.querySelector('{last}').getBoundingClientRect().bottom + scrollY]"
    )
    top = max(0, top - MARGIN)
    height = bottom + MARGIN - top
    if height > MOST_HEIGHT:
        sys.exit(
            f"{page}: {height:.0f} pixels from {first} to {last}, more than {MOST_HEIGHT}: show less of the page"
        )
    clip = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": 1}
    told = browser.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    return base64.b64decode(told["data"])


if __name__ == "__main__":
    main()
