"""Runs the same command lines with `cm` or `mlc` and with `assay`, each in a home of its own, and compares them.

    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops commands.txt [--json OUT]
    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops --own own.txt --record recorded.json
    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops --sweep
    python tests/differential/compare.py --mlc /path/to/mlc --own own.txt own-mlc.txt --record recorded-mlc.json
    python tests/differential/compare.py --cm /path/to/cm --clone /path/to/cm4mlops --real real.txt
    python tests/differential/compare.py --mlc /path/to/mlc --clone /path/to/mlperf-automations --real real-mlc.txt

A file of commands holds one command line per line (without the tool's name); a blank line starts a new pair of homes.
Compared are: exit code, order of recipes with their resolved variations, new_env, new_state, and the tags of the
cache entries afterwards, with the hours until they expire. Homes, uids, times and temporary names are made equal
before. All that is compared is counted in lines too: a call, a value, a place in `i`, a tag or a file is one. With
`--mlc`, `CM_` in a command line is read as `MLC_`. `--sweep` resolves every recipe of the clone, plain and with one
of its variations, without running any. `--real` is for command lines that run everything, with a network of package
registries: each tool has a Python environment of its own then, the hooks tell what they are given, and the contents
of the cache entries are compared too; a difference that docs/cm-contract.md explains counts apart.
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.recipes.home.index import Index
from assay.recipes.home.load import load_recipe
from assay.recipes.home.repositories import Home

sys.path.append(str(Path(__file__).parent))  # it is a program of its own, and a module of the tests
from probe import GivenToHook, hook_differences, is_ours, read_records, write_probed

# CM says `- Prepared variations` once more when it looks into the cache: those that were asked for alone.
CALL = re.compile(
    r"(?:^\w+:root:\s*|\] - \s*(?:- )?)(\* (?:cm|mlc) run script .*|\* mlcr .*|Prepared variations: .*)$"
)
RESULT = re.compile(r"(?:^|\] - |^INFO:root:)\{\n", re.MULTILINE)
MLC_LOG = ".mlc-log.txt"  # which MLC leaves in every folder it is called in
# What makes a run print its result and the resolved variations.
RESULT_FLAGS = {"cm": ["--out=json", "-v"], "mlc": ["-j", "-v"]}


@dataclass
class Seen:
    """What one command did."""

    code: int
    calls: list[str]
    result: dict[str, Any]
    entries: list[str]
    stderr: str = field(repr=False, default="")
    hooks: list[GivenToHook] = field(default_factory=list)
    contents: dict[str, Any] = field(default_factory=dict)  # of the entries, by their tags
    left: list[str] = field(default_factory=list)  # files below the working folder


class Tool:
    """One of the two programs with a home to work in."""

    def __init__(
        self, dialect: str, program: list[str], home: Path, folder: Path, environ: dict[str, str]
    ) -> None:
        self.dialect = dialect
        self.program = program
        self.home = home
        self.repositories = home if dialect == "mlc" else home / "repos"
        self.folder = folder
        self.environ = environ | {f"{dialect.upper()}_REPOS": str(home), "ASSAY_BUILTIN": "0"}
        self.records: Path | None = None

    def prepare(self, clones: list[Path], *, real: bool = False) -> None:
        self.repositories.mkdir(parents=True)
        self.folder.mkdir(parents=True)
        targets = [self.repositories / clone.name for clone in clones]
        for clone, target in zip(clones, targets):
            if real:
                write_probed(clone, target)
            else:
                shutil.copytree(clone, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        if real:
            python = self.home.parent / "python"
            subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
            path = os.pathsep.join(
                [str(python / "bin"), str(Path(self.program[0]).parent), self.environ["PATH"]]
            )
            self.records = self.home.parent / "records.jsonl"
            self.environ |= {"PATH": path, "HOOK_RECORDS": str(self.records)}
            self.environ.pop("VIRTUAL_ENV", None)
        if self.dialect == "mlc":  # which wants its own repository there and registered like any other
            local = self.repositories / "local"
            (local / "cache").mkdir(parents=True)
            (local / "meta.yaml").write_text("alias: local\nname: local\nuid: 9a3280b14a4285c9\n")
            targets.insert(0, local)
        (self.home / "repos.json").write_text(json.dumps([str(target) for target in targets]))

    def run(self, words: list[str]) -> Seen:
        extra = RESULT_FLAGS[self.dialect] if is_run(words) else []
        program = self.program
        if words[0] == "mlcr":  # a program of its own beside `mlc`, and a verb of its own here
            program, words = [*program[:-1], f"{program[-1]}r"], words[1:]
        if self.records:
            self.records.write_text("")
        done = subprocess.run(
            [*program, *words, *extra],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=1800,
        )
        return Seen(
            done.returncode,
            [self.plain(call) for call in calls(done.stderr)],
            self.result(done.stdout if self.dialect == "cm" else done.stderr),
            [self.plain(entry) for entry in entries(self.repositories)],
            done.stderr,
            read_records(self.plain(self.records.read_text())) if self.records else [],
            json.loads(self.plain(json.dumps(contents(self.repositories)))) if self.records else {},
            [name for name in files_below(self.folder) if name != MLC_LOG] if self.records else [],
        )

    def result(self, output: str) -> dict[str, Any]:
        """The last JSON of the output, which may stand behind a log's prefix, between other lines."""
        for start in reversed([found.end() - 2 for found in RESULT.finditer(output)]):
            try:
                value: dict[str, Any] = json.JSONDecoder().raw_decode(self.plain(output[start:]))[0]
            except ValueError:
                continue
            return value
        return {}

    def plain(self, text: str) -> str:
        """Without what differs from run to run."""
        text = text.replace(str(self.home), "HOME").replace(str(self.folder), "FOLDER")
        text = text.replace(str(self.home.parent), "ROOT")
        text = re.sub(r"(HOME/(?:repos/)?local/cache/)[\w.-]+", r"\1UID", text)
        text = re.sub(r"/tmp/tmp[\w.]+", "/tmp/TMP", text)
        return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*", "TIME", text)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def is_run(words: list[str]) -> bool:
    return words[:2] == ["run", "script"] or words[0] == "mlcr"


def calls(log: str) -> list[str]:
    """The recipes that a log names, in their order; `* mlcr a,_v` and `* mlc run script "a _v"` are the same."""
    found = [match[1].strip() for line in log.splitlines() if (match := CALL.search(line))]
    found = [
        re.sub(r"\* mlcr (.*)", lambda m: f'* mlc run script "{m[1].replace(",", " ")}"', c) for c in found
    ]
    # mlc resolves the variations of a recipe that it will cache a second time, and says so again.
    return [call for before, call in zip(["", *found], found) if call != before or call.startswith("*")]


def entries(repositories: Path) -> list[str]:
    """Sorted tags of the finished cache entries, each with the hours after which it expires, if it does."""
    found = []
    for name in ("_cm.json", "meta.json"):
        for path in (repositories / "local" / "cache").glob(f"*/{name}"):
            description = json.loads(path.read_text())
            if "tmp" not in description["tags"]:
                expiry = description.get("cache_expiration")
                hours = f" for {(expiry - path.stat().st_mtime) / 3600:.1f} h" if expiry else ""
                found.append(",".join(sorted(description["tags"])) + hours)
    return sorted(found)


def contents(repositories: Path) -> dict[str, Any]:
    """What each finished entry holds, by its tags: the values it hands on, and the names of its files."""
    found = {}
    for name in ("_cm.json", "meta.json"):
        for path in (repositories / "local" / "cache").glob(f"*/{name}"):
            tags = json.loads(path.read_text())["tags"]
            state = next(path.parent.glob("*-cached-state.json"), None)
            if "tmp" in tags or state is None:
                continue
            files = sorted(str(file.relative_to(path.parent)) for file in path.parent.glob("*"))
            values = json.loads(state.read_text())
            found[",".join(sorted(tags))] = {
                "files": files,
                **{key: stable(values.get(key)) for key in ("new_env", "new_state", "deps", "version")},
            }
    return found


def sweep(clone: Path) -> list[str]:
    """A command line for every recipe, and one with the middle one of its plain variations where it has any."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name))
        home.register(clone.absolute())
        index = Index(home)
        for artifact in index.artifacts("script"):
            recipe = load_recipe(index, artifact)
            plain = [name for name in recipe.variations if "," not in name and not name.endswith(".#")]
            chosen = ["", *([f"--tags=_{plain[len(plain) // 2]}"] if plain else [])]
            lines += [f"run script {recipe.alias} {one} --fake_run --fake_deps --quiet" for one in chosen]
    return lines


LASTING = ("entry ", "cache: ", "file left: ")
# What docs/cm-contract.md explains under "For real", by the tool that differs: a command line, a tab, a difference.
KNOWN = {
    "cm": re.compile(
        r".*\tfile left: only cm (cm-repro/.*Dockerfile|tmp-(run\.sh|ver\.out)$)"
        r"|run script print-hello-world-py .*\t(exit code: cm 2, ours 0$|file left: only cm tmp-state\.json$"
        r"|hooks: .*'end', \('print-hello-world-py', 'postprocess'\)\)$)"
    ),
    "mlc": re.compile(
        r".*\t(.*\.run_state\.version_info\[\]"
        r"|.* of get-compiler-flags: i\..*const\.MLC_GCC_VERSION cm None"
        r"|calls: first difference: cm "
        r"\[\('\* mlc run script \"([\w-]+)\"', '\* mlc run script \2'\)\] \((\d+) and \3\)"
        r"|file left: only cm tmp-(run\.sh|ver\.out)$"
        r"|(cache: only (cm|ours)|entry) .*get-python3)"
    ),
}


def is_known(line: str, text: str, dialect: str) -> bool:
    return bool(KNOWN[dialect].match(f"{line}\t{text}"))


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
    for part, theirs, mine in (
        ("cache", Counter(cm.entries), Counter(ours.entries)),
        ("file left", Counter(cm.left), Counter(ours.left)),
    ):
        found += [f"{part}: only cm {one}" for one in (theirs - mine).elements()]
        found += [f"{part}: only ours {one}" for one in (mine - theirs).elements()]
    for tags in sorted(cm.contents.keys() & ours.contents.keys()):
        theirs, mine = cm.contents[tags], ours.contents[tags]
        found += [
            f"entry {tags} {part}: cm {str(theirs[part])[:200]} ours {str(mine[part])[:200]}"
            for part in theirs
            if theirs[part] != mine[part]
        ]
    return found + hook_differences(cm.hooks, ours.hooks, stable)


def flat(where: str, value: Any) -> Iterator[str]:
    """A line for each value inside of dictionaries, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(f"{where} {key}", item)
    else:
        yield f"{where} {json.dumps(value, sort_keys=True)}"


def lines_of(seen: Seen) -> Counter[str]:
    """All that is compared of one command, a line for each call, value, place in a hook's `i`, entry and file."""
    found = Counter([f"exit code {seen.code}", *(f"call {call}" for call in seen.calls)])
    parts = {part: seen.result.get(part, {}) for part in ("new_env", "new_state")}
    parts |= {f"entry {tags}": values for tags, values in seen.contents.items()}
    for number, given in enumerate(seen.hooks):
        hook = f"hook {number}, {given.hook} of {given.recipe}"
        parts |= {f"{hook}: env": given.env, f"{hook}: state": given.state}
        found.update(f"{hook}: {place} {given.given[place]}" for place in given.given if not is_ours(place))
    found.update(line for part, values in parts.items() for line in flat(part, stable(values)))
    found.update([*(f"entry {entry}" for entry in seen.entries), *(f"file {name}" for name in seen.left)])
    return found


def compare(
    recorded: list[dict[str, Any]],
    sessions: list[list[str]],
    dialect: str,
    tool: str,
    clones: list[Path],
    environ: dict[str, str],
    *,
    real: bool = False,
) -> list[dict[str, Any]]:
    results = []
    ours = [sys.executable, "-m", "assay", dialect]
    for number, lines in enumerate(sessions):
        with tempfile.TemporaryDirectory(prefix="differential-") as name:
            root = Path(name)
            tools = [
                Tool(dialect, [tool], root / "cm" / "home", root / "cm" / "folder", environ),
                Tool(dialect, ours, root / "us" / "home", root / "us" / "folder", environ),
            ]
            for one in tools:
                one.prepare(clones, real=real)
            told: set[str] = set()  # of entries and files, which stay there for the following lines
            for line in lines:
                words = shlex.split(line)
                if is_run(words):
                    words.append("--user_python")
                seen = [one.run(words) for one in tools]
                found = [text for text in differences(seen[0], seen[1]) if text not in told]
                told.update(text for text in found if text.startswith(LASTING))
                known = [text for text in found if is_known(line, text, dialect)]
                all_lines = [lines_of(one) for one in seen]
                found = [text for text in found if text not in known]
                theirs = {k: stable(seen[0].result.get(k, {})) for k in ("new_env", "new_state")}
                recorded.append(
                    {
                        "home": number,
                        "command": line,
                        "code": seen[0].code,
                        "calls": seen[0].calls,
                        **theirs,
                        "entries": seen[0].entries,
                    }
                )
                results.append(
                    {
                        "command": line,
                        "code": seen[0].code,
                        "calls": len(seen[0].calls),
                        "hooks": len(seen[0].hooks),
                        "recipes": sorted({given.recipe for given in seen[0].hooks}),
                        "differences": found,
                        "known": known,
                        "lines": (all_lines[0] | all_lines[1]).total(),
                        "lines_agree": (all_lines[0] & all_lines[1]).total(),
                    }
                )
                word = "DIFF " if found else "known" if known else "same "
                print(f"{word} [{seen[0].code}] {line[:150]}", flush=True)
                for text in found:
                    print("       " + text[:600], flush=True)
                if found and os.environ.get("SHOW"):
                    print(seen[1].stderr[-2500:])
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commands", type=Path, nargs="*")
    parser.add_argument("--real", action="store_true", help="look into the hooks and the cache entries too")
    parser.add_argument("--sweep", action="store_true", help="resolve every recipe of the clone")
    parser.add_argument("--cm", default=shutil.which("cm"), help="the real cm (cmind 4.2.0)")
    parser.add_argument("--mlc", help="the real mlc (mlcflow 1.3.8), to compare with in place of cm")
    parser.add_argument("--clone", type=Path, help="a clone of cm4mlops")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument(
        "--only", default="", help="only commands that contain this text, with those before them"
    )
    parser.add_argument("--own", action="store_true", help="run on the recipes that own.py writes")
    parser.add_argument("--record", type=Path, help="write what the tool did here, for the tests")
    options = parser.parse_args()
    dialect, tool = ("mlc", options.mlc) if options.mlc else ("cm", options.cm)
    clones = [options.clone] if options.clone else []
    if options.own:
        from own import write_recipes

        clones.append(write_recipes(Path(tempfile.mkdtemp(prefix="own-")), dialect))
    if not tool:
        parser.error("no cm on PATH: pip install cmind==4.2.0 in an environment of its own, and give --cm")
    text = "\n\n".join(path.read_text() for path in options.commands)
    blocks = (text.replace("CM_", "MLC_") if dialect == "mlc" else text).split("\n\n")
    sessions = [[line for line in block.splitlines() if line.strip() and line[0] != "#"] for block in blocks]
    if options.sweep:
        sessions.append(sweep(options.clone))
    sessions = [lines for lines in sessions if lines and any(options.only in line for line in lines)]
    recorded: list[dict[str, Any]] = []
    results = compare(recorded, sessions, dialect, tool, clones, dict(os.environ), real=options.real)
    same = sum(not result["differences"] for result in results)
    plain = sum(not (result["differences"] or result["known"]) for result in results)
    print(
        f"{plain} of {len(results)} command lines agree, {same - plain} but for what the contract page explains"
    )
    total, agree = (sum(result[key] for result in results) for key in ("lines", "lines_agree"))
    explained = sum(
        result["lines"] - result["lines_agree"] for result in results if not result["differences"]
    )
    print(
        f"{agree} of {total} lines agree ({100 * agree / max(total, 1):.2f} %); of the other {total - agree}, "
        f"{explained} stand in command lines of which the contract page explains all that differs"
    )
    if options.real:
        recipes = {recipe for result in results for recipe in result["recipes"]}
        print(f"{sum(result['hooks'] for result in results)} hooks of {len(recipes)} recipes")
    if options.record:
        options.record.write_text(json.dumps(recorded, indent=1) + "\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if same == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
