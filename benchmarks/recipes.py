"""How long the recipe runner takes for whole commands, side by side with cm and mlc where they are given.

    python benchmarks/recipes.py --clone /path/to/cm4mlops [--cm CM] [--mlc-clone DIR --mlcr MLCR] [--json OUT]

Each command runs in turn with each tool (interleaved, so that a busy machine slows both), after one warm-up.
Prints medians of wall and CPU seconds of the whole process, children included, and their ratios. Beside the run of
`detect,os` stand two tools that do only what every runner must: `script` is the recipe's native script in bash,
`floor` a bare Python that runs it once and then the command that the recipe's hook runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

DEPENDENCIES = 12
# About 2.8 KB of description, the mean of cm4mlops' 294 recipes at 3a601227.
VARIATIONS = {
    f"v{n}": {"group": "g", "env": {f"CM_BENCH_{n}": f"value {n}", "CM_BENCH": str(n)}} for n in range(20)
}
LEAF = {"cache": True, "new_env_keys": ["CM_LEAF_*"], "variations": VARIATIONS}
# What no runner in Python can leave out of `detect,os`: its own start, the script, and what the hook imports and runs.
FLOOR = """
import os, subprocess, sys
subprocess.run(["bash", "-c", ". " + sys.argv[1]], check=True)
subprocess.check_output("ld --verbose | grep SEARCH_DIR", shell=True)
import platform
os._exit(0)
"""
ASSAY = str(Path(sys.executable).with_name("assay"))


def timed(command: list[str], folder: Path, environ: dict[str, str]) -> tuple[float, float]:
    """(wall seconds, CPU seconds) of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def twelve_dependencies(root: Path) -> Path:
    """A repository with a recipe of 12 cached dependencies, written in both dialects."""
    repository = root / "bench@twelve"
    for name, description in (
        ("cmr.yaml", "alias: bench@twelve\n"),
        ("meta.yaml", "alias: bench@twelve\nname: b\n"),
    ):
        (repository / "script").mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(description + "uid: 00000000000000be\ngit: false\n")
    names = [f"leaf{number}" for number in range(DEPENDENCIES)]
    for number, name in enumerate([*names, "root"]):
        folder = repository / "script" / f"bench-{name}"
        folder.mkdir()
        meta: dict[str, Any] = {
            "alias": f"bench-{name}",
            "uid": f"{number:015x}b",
            "automation_alias": "script",
            "automation_uid": "5b4e0237da074764",
            "tags": ["bench", name],
        }
        if name == "root":
            meta["deps"] = [{"tags": f"bench,{leaf}"} for leaf in names]
        else:
            meta |= LEAF
            (folder / "run.sh").write_text("#!/bin/bash\nexit 0\n")
        for file in ("_cm.yaml", "meta.yaml"):
            (folder / file).write_text(yaml.safe_dump(meta))
        (folder / "customize.py").write_text("def preprocess(i):\n    return {'return': 0}\n")
    return repository


def make_home(root: Path, name: str, clones: list[Path], dialect: str) -> Path:
    """A home with copies of the repositories, registered."""
    home = root / name
    folder = home / "repos" if dialect == "cm" else home
    folder.mkdir(parents=True)
    paths = []
    for clone in clones:
        target = folder / clone.name
        shutil.copytree(clone, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        paths.append(str(target))
    if dialect == "mlc":  # which wants its own repository registered like any other
        local = home / "local"
        (local / "cache").mkdir(parents=True)
        (local / "meta.yaml").write_text("alias: local\nname: local\nuid: 9a3280b14a4285c9\n")
        paths.insert(0, str(local))
    (home / "repos.json").write_text(json.dumps(paths))
    return home


def measure(
    cases: dict[str, dict[str, list[str]]], folder: Path, environs: dict[str, dict[str, str]], rounds: int
) -> Any:
    results: dict[str, Any] = {}
    for case, commands in cases.items():
        times: dict[str, list[tuple[float, float]]] = {tool: [] for tool in commands}
        for number in range(rounds + 1):
            for tool, command in commands.items():
                taken = timed(command, folder, environs[tool])
                if number:
                    times[tool].append(taken)
        results[case] = {
            tool: {
                "wall_s": round(statistics.median(wall for wall, _ in taken), 4),
                "cpu_s": round(statistics.median(cpu for _, cpu in taken), 4),
                "wall_s_min": round(min(wall for wall, _ in taken), 4),
                "n": len(taken),
            }
            for tool, taken in times.items()
        }
        line = "  ".join(
            f"{tool} {r['wall_s']:.3f} s (CPU {r['cpu_s']:.3f})" for tool, r in results[case].items()
        )
        print(f"{case:<28} {line}", flush=True)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clone", type=Path, required=True, help="a clone of cm4mlops")
    parser.add_argument("--mlc-clone", type=Path, help="a clone of mlperf-automations, for mlcr")
    parser.add_argument("--cm", help="the real cm")
    parser.add_argument("--mlcr", help="the real mlcr")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recipes-") as name:
        root = Path(name)
        folder = root / "work"
        folder.mkdir()
        twelve = twelve_dependencies(root / "made")
        # An installed package has its bytecode beside it; the warm-up writes it for a checkout.
        base = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
            "ASSAY_BUILTIN": "0"
        }
        environs = {
            "assay": base | {"CM_REPOS": str(make_home(root, "assay", [options.clone, twelve], "cm"))}
        }
        tools = {"assay": [ASSAY]}
        if options.cm:
            environs["cm"] = base | {"CM_REPOS": str(make_home(root, "cm", [options.clone, twelve], "cm"))}
            tools["cm"] = [options.cm]
        twelve_words = ["run", "script", "--tags=bench,root", "--quiet"]
        words = {
            "version": ["version"],
            "find, hit": ["find", "script", "--tags=detect,os"],
            "find, miss": ["find", "script", "--tags=no,such"],
            "run detect,os": ["run", "script", "--tags=detect,os", "--user_python"],
            "run, 12 cached dependencies": twelve_words,
            "reindex": ["reindex", "repo"],
        }
        cases = {
            case: {tool: [*program, *line] for tool, program in tools.items()} for case, line in words.items()
        }
        script = options.clone.absolute() / "script" / "detect-os" / "run.sh"
        cases["run detect,os"] |= {
            "floor": [sys.executable, "-S", "-E", "-c", FLOOR, str(script)],
            "script": ["bash", "-c", f". {script}"],
        }
        environs |= {"floor": base, "script": base}
        if options.mlcr and options.mlc_clone:
            environs["mlcr"] = base | {
                "MLC_REPOS": str(make_home(root, "mlc", [options.mlc_clone, twelve], "mlc"))
            }
            cases["run, 12 cached dependencies"]["mlcr"] = [options.mlcr, "bench,root", "--quiet"]
        results = measure(cases, folder, environs, options.rounds)
    report = {
        "benchmark": "recipes",
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "load_average": os.getloadavg()[0],
        "results": results,
    }
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
