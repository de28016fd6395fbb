"""Runs the same command lines with `cm` and with `assay`, each in a home of its own, and compares what comes out.

    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops commands.txt [--json OUT]
    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops --own own.txt --record recorded.json

A file of commands holds one command line per line (without `cm`); a blank line starts a new pair of homes.
Compared are: exit code, order of recipes with their resolved variations, new_env, new_state, and the tags of the
cache entries afterwards. Homes, uids, times and temporary names are made equal before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CALL = re.compile(r"^\w+:root:\s*(\* (?:cm|mlc) run script .*|Prepared variations: .*)$")
UID = re.compile(r"\b[0-9a-f]{16}\b")


@dataclass
class Seen:
    """What one command did."""

    code: int
    calls: list[str]
    result: dict[str, Any]
    entries: list[str]
    stderr: str = field(repr=False, default="")


class Tool:
    """One of the two programs with a home to work in."""

    def __init__(self, program: list[str], home: Path, folder: Path, environ: dict[str, str]) -> None:
        self.program = program
        self.home = home
        self.folder = folder
        self.environ = environ | {"CM_REPOS": str(home), "ASSAY_BUILTIN": "0"}

    def prepare(self, clones: list[Path]) -> None:
        self.home.mkdir(parents=True)
        self.folder.mkdir(parents=True)
        targets = [self.home / "repos" / clone.name for clone in clones]
        for clone, target in zip(clones, targets):
            shutil.copytree(clone, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        (self.home / "repos.json").write_text(json.dumps([str(target) for target in targets]))

    def run(self, words: list[str]) -> Seen:
        extra = ["--out=json", "-v"] if words[:2] == ["run", "script"] else []
        done = subprocess.run(
            [*self.program, *words, *extra],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        calls = [found[1].strip() for line in done.stderr.splitlines() if (found := CALL.match(line))]
        return Seen(
            done.returncode,
            [self.plain(c) for c in calls],
            self.result(done.stdout),
            self.entries(),
            done.stderr,
        )

    def result(self, stdout: str) -> dict[str, Any]:
        """The JSON at the end of the output; what stands before it is the native scripts' own."""
        start = 0 if stdout.startswith("{\n") else stdout.rfind("\n{\n") + 1
        try:
            value: dict[str, Any] = json.loads(self.plain(stdout[start:]))
        except ValueError:
            return {}
        return value

    def entries(self) -> list[str]:
        """Sorted tags of the finished cache entries."""
        found = []
        for path in (self.home / "repos" / "local" / "cache").glob("*/_cm.json"):
            tags = json.loads(path.read_text())["tags"]
            if "tmp" not in tags:
                found.append(",".join(sorted(self.plain(tag) for tag in tags)))
        return sorted(found)

    def plain(self, text: str) -> str:
        """Without what differs from run to run."""
        text = text.replace(str(self.home), "HOME").replace(str(self.folder), "FOLDER")
        text = re.sub(r"HOME/repos/local/cache/[0-9a-f]{16}", "HOME/repos/local/cache/UID", text)
        text = re.sub(r"/tmp/tmp[\w.]+", "/tmp/TMP", text)
        return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*", "TIME", text)


# Measured anew by each run, so never equal.
VOLATILE = re.compile(r"MEMORY_|_FREQ|MHZ|BOGOMIPS|_TMP_|DISK|MEM_|SINCE|CLOCK", re.IGNORECASE)


def stable(values: Any) -> Any:
    if isinstance(values, dict):
        return {k: stable(v) for k, v in sorted(values.items()) if not VOLATILE.search(str(k))}
    return values


def differences(cm: Seen, ours: Seen) -> list[str]:
    """In what the two differ; empty when they agree."""
    found = []
    if cm.code != ours.code:
        found.append(f"exit code: cm {cm.code}, ours {ours.code}")
    if cm.calls != ours.calls:
        pairs = [(a, b) for a, b in zip([*cm.calls, "-"], [*ours.calls, "-"]) if a != b]
        found.append(f"calls: first difference: cm {pairs[:1]} ({len(cm.calls)} and {len(ours.calls)})")
    for part in ("new_env", "new_state"):
        theirs, mine = stable(cm.result.get(part, {})), stable(ours.result.get(part, {}))
        keys = sorted(k for k in {*theirs, *mine} if theirs.get(k, "absent") != mine.get(k, "absent"))
        found += [
            f"{part} {k}: cm {str(theirs.get(k, 'absent'))[:200]} ours {str(mine.get(k, 'absent'))[:200]}"
            for k in keys
        ]
    if cm.entries != ours.entries:
        theirs, mine = Counter(cm.entries), Counter(ours.entries)
        found.append(
            f"cache: only cm {list((theirs - mine).elements())}, only ours {list((mine - theirs).elements())}"
        )
    return found


def compare(
    recorded: list[dict[str, Any]],
    sessions: list[list[str]],
    cm: str,
    clones: list[Path],
    environ: dict[str, str],
) -> list[dict[str, Any]]:
    results = []
    ours = [sys.executable, "-m", "assay"]
    for lines in sessions:
        with tempfile.TemporaryDirectory(prefix="differential-") as name:
            root = Path(name)
            tools = [
                Tool([cm], root / "cm" / "home", root / "cm" / "folder", environ),
                Tool(ours, root / "us" / "home", root / "us" / "folder", environ),
            ]
            for tool in tools:
                tool.prepare(clones)
            for line in lines:
                words = shlex.split(line)
                if words[:2] == ["run", "script"]:
                    words.append("--user_python")
                seen = [tool.run(words) for tool in tools]
                found = differences(seen[0], seen[1])
                theirs = {k: stable(seen[0].result.get(k, {})) for k in ("new_env", "new_state")}
                recorded.append(
                    {
                        "command": line,
                        "code": seen[0].code,
                        "calls": seen[0].calls,
                        **theirs,
                        "entries": seen[0].entries,
                    }
                )
                results.append(
                    {"command": line, "code": seen[0].code, "calls": len(seen[0].calls), "differences": found}
                )
                print(("same " if not found else "DIFF ") + f"[{seen[0].code}] " + line[:150], flush=True)
                for text in found:
                    print("       " + text[:600], flush=True)
                if found and os.environ.get("SHOW"):
                    print(seen[1].stderr[-2500:])
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commands", type=Path)
    parser.add_argument("--cm", default=shutil.which("cm"), help="the real cm (cmind 4.2.0)")
    parser.add_argument("--clone", type=Path, help="a clone of cm4mlops")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument(
        "--only", default="", help="only commands that contain this text, with those before them"
    )
    parser.add_argument("--own", action="store_true", help="run on the recipes that own.py writes")
    parser.add_argument("--record", type=Path, help="write what cm did here, for the tests")
    options = parser.parse_args()
    clones = [options.clone] if options.clone else []
    if options.own:
        from own import write_recipes

        clones.append(write_recipes(Path(tempfile.mkdtemp(prefix="own-"))))
    if not options.cm:
        parser.error("no cm on PATH: pip install cmind==4.2.0 in an environment of its own, and give --cm")
    blocks = options.commands.read_text().split("\n\n")
    sessions = [[line for line in block.splitlines() if line.strip() and line[0] != "#"] for block in blocks]
    sessions = [lines for lines in sessions if lines and any(options.only in line for line in lines)]
    recorded: list[dict[str, Any]] = []
    results = compare(recorded, sessions, options.cm, clones, dict(os.environ))
    same = sum(not result["differences"] for result in results)
    print(f"{same} of {len(results)} command lines agree")
    if options.record:
        options.record.write_text(json.dumps(recorded, indent=1) + "\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if same == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
