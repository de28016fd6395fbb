"""What each means against a slow start saves: the package as it is, side by side with copies that lack one of them.

    python benchmarks/startup.py --clone /path/to/cm4mlops [--rounds 9] [--json OUT]

Each command runs in turn with each copy (interleaved, so that a busy machine slows all), after one warm-up. Prints the
least CPU seconds (user and system, children included) of each, beside a bare start of the same Python.
docs/adr/0016-start-up.md holds the figures and what was decided on them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from recipes import make_home, timed, twelve_dependencies

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "assay"
WITHOUT: dict[str, dict[str, list[tuple[str, str]]]] = {
    "as it is": {},
    "fast exit": {"cli/fast_exit.py": [("_nothing_is_left(before)", "False")]},
    "kept parses": {
        "recipes/home/descriptions.py": [("self._kept_file(where).read_bytes()", 'b""')],
    },
    "kept index": {"recipes/home/index.py": [("self._file(automation).read_bytes()", 'b""')]},
}
"""means -> file -> (text, what stands in its place) without it"""
CASES = {
    "help": ["--help"],
    "find": ["find", "script", "--tags=detect,os"],
    "run detect,os": ["run", "script", "--tags=detect,os", "--user_python"],
    "run, 12 cached dependencies": ["run", "script", "--tags=bench,root", "--quiet"],
    "reindex": ["reindex", "repo"],
}


def copy_without(means: str, folder: Path) -> Path:
    """A copy of the package that lacks one means; the folder for PYTHONPATH."""
    shutil.copytree(PACKAGE, folder / "assay", ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in WITHOUT[means].items():
        path = folder / "assay" / name
        for text, instead in changes:
            source = path.read_text()
            assert text in source, f"{name} has no {text!r}"
            path.write_text(source.replace(text, instead))
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clone", type=Path, required=True, help="a clone of cm4mlops")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    least: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        root = Path(name)
        (root / "work").mkdir()
        twelve = twelve_dependencies(root / "made")
        # An installed package has its bytecode beside it; the warm-up writes it for a copy.
        base = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
            "ASSAY_BUILTIN": "0"
        }
        environs = {
            means: base
            | {
                "PYTHONPATH": str(copy_without(means, root / means)),
                "CM_REPOS": str(make_home(root, f"home {means}", [options.clone, twelve], "cm")),
            }
            for means in WITHOUT
        }
        entry = "import sys; from assay.cli import entry; entry()"
        for case, words in {"bare Python": None, **CASES}.items():
            taken: dict[str, list[float]] = {}
            for number in range(options.rounds + 1):
                for means in WITHOUT if words else ("as it is",):
                    command = [sys.executable, "-c", entry if words else "pass", *(words or [])]
                    seconds = timed(command, root / "work", environs[means])[1]
                    if number:
                        taken.setdefault(means, []).append(seconds)
            least[case] = {means: round(min(each), 4) for means, each in taken.items()}
            print(
                f"{case:<28} " + "  ".join(f"{m} {1000 * s:.1f}" for m, s in least[case].items()), flush=True
            )
    report = {
        "benchmark": "startup",
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "load_average": os.getloadavg()[0],
        "cpu_s_min": least,
    }
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
